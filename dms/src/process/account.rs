//! Users and groups, by name or number.

use std::path::Path;
use std::{fs, io};

/// Where names stand.
pub(super) const USERS: &str = "/etc/passwd";
pub(super) const GROUPS: &str = "/etc/group";

/// Who a process runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    /// The user's first group; `None` for a number that no user has.
    pub(super) gid: Option<u32>,
}

/// The user of this name or number; `None` where there is none of the name.
pub(super) fn user(wanted: &str) -> Option<User> {
    find_user(&read(USERS.as_ref()), wanted)
}

/// The group of this name or number; `None` where there is none of the name.
pub(super) fn group(wanted: &str) -> Option<u32> {
    find_group(&read(GROUPS.as_ref()), wanted)
}

/// A file that is not there knows nobody.
fn read(database: &Path) -> String {
    let text = fs::read(database).or_else(|error: io::Error| {
        tracing::debug!(database = %database.display(), %error, "cannot be read");
        Ok::<_, io::Error>(Vec::new())
    });
    String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
}

/// `name:password:uid:gid:…` in each line.
fn find_user(database: &str, wanted: &str) -> Option<User> {
    let number: Option<u32> = wanted.parse().ok();
    let found = database.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (name == wanted || number == Some(uid)).then_some(User { uid, gid: Some(gid) })
    });
    found.or_else(|| number.map(|uid| User { uid, gid: None }))
}

/// `name:password:gid:…` in each line.
fn find_group(database: &str, wanted: &str) -> Option<u32> {
    let by_name = database.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        (name == wanted).then_some(gid)
    });
    by_name.or_else(|| wanted.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name_and_by_its_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\n# a comment\nbroken\nwww:x:33:34::/var/www:\n";
        assert_eq!(find_user(users, "www"), Some(User { uid: 33, gid: Some(34) }));
        assert_eq!(find_user(users, "33"), Some(User { uid: 33, gid: Some(34) }));
        assert_eq!(find_user(users, "12345"), Some(User { uid: 12345, gid: None }));
        assert_eq!(find_user(users, "nobody"), None);
        assert_eq!(find_user(users, "-1"), None);
        let groups = "root:x:0:\nwww:x:34:a,b\n";
        assert_eq!((find_group(groups, "www"), find_group(groups, "7")), (Some(34), Some(7)));
        assert_eq!(find_group(groups, "staff"), None);
    }
}
