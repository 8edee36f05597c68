//! How long a contestant takes to compile: the smallest program with one actor, one tell and one ask, from nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::child::name;
use crate::contestant::Name;
use crate::machine::version_of;
use crate::program::{cargo, target_directory};
use crate::progress::Progress;
use crate::statistics::{median, median_ratio};

/// Whoever takes longer than this, in seconds, is built only once.
const LONG: f64 = 120.0;

/// What the program prints.
const OUTPUT: &str = "5";

/// One contestant's builds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Build {
    /// Who.
    pub(crate) contestant: Name,
    /// How many packages are compiled, those of build scripts and macros among them; the program itself is not.
    pub(crate) crates: usize,
    /// The median of all rounds, in seconds.
    pub(crate) median: Option<f64>,
    /// The median of the ratios to the hand-written actor, round by round.
    pub(crate) to_floor: Option<f64>,
    /// How long each round took, in seconds.
    pub(crate) seconds: Vec<f64>,
}

/// Builds for all that are to be measured, in rounds.
pub(crate) fn measure(contestants: &[Name], rounds: usize) -> Result<Vec<Build>, String> {
    let mut programs = Vec::new();
    for contestant in contestants.iter().copied().filter(|contestant| contestant.minimal().is_some()) {
        programs.push(Minimal::write(contestant)?);
    }
    let mut builds: Vec<Build> = Vec::new();
    for program in &programs {
        let (contestant, crates) = (program.contestant, program.crates()?);
        builds.push(Build { contestant, crates, median: None, to_floor: None, seconds: Vec::new() });
    }
    let mut progress = Progress::new(rounds * programs.len());
    for round in 0..rounds {
        let first = round % programs.len().max(1);
        for index in (first..programs.len()).chain(0..first) {
            let (program, build) = (&programs[index], &mut builds[index]);
            if build.seconds.first().is_some_and(|seconds| *seconds > LONG) {
                progress.step();
                continue;
            }
            progress.say(&format!("build {} of {rounds}: {}", round + 1, name(program.contestant)));
            build.seconds.push(program.build()?);
            progress.step();
        }
    }
    progress.end("all built");
    summarize(&mut builds);
    Ok(builds)
}

fn summarize(builds: &mut [Build]) {
    let rounds = |build: &Build| build.seconds.iter().copied().map(Some).collect::<Vec<_>>();
    let floor = builds.iter().find(|build| build.contestant == Name::FLOOR).map(rounds);
    for build in builds {
        build.median = median(build.seconds.iter().copied());
        build.to_floor = floor.as_ref().and_then(|floor| median_ratio(&rounds(build), floor));
    }
}

/// What a minimal program needs: its source, and its dependencies as lines of a `Cargo.toml`.
pub(crate) struct Sources {
    /// `main.rs`.
    pub(crate) main: &'static str,
    /// The lines below `[dependencies]`.
    pub(crate) dependencies: String,
}

impl Name {
    /// The contestant's minimal program; nothing for those who are another's variant.
    fn minimal(self) -> Option<Sources> {
        // The same features of Tokio for all who use it directly, but for the hand-written actor, whose channels they are.
        let tokio = |features: &str| format!("tokio = {{ version = \"1\", features = [{features}] }}\n");
        let with_tokio = |line: String| format!("{line}{}", tokio("\"macros\", \"rt-multi-thread\""));
        let version = |package| version_of(package).unwrap_or("*");
        let plain = |package| format!("{package} = \"={}\"\n", version(package));
        let (main, dependencies) = match self {
            Self::Tokio => (include_str!("../minimal/tokio.rs"), tokio("\"macros\", \"rt-multi-thread\", \"sync\"")),
            Self::Dms => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("dms");
                (include_str!("../minimal/dms.rs"), with_tokio(format!("dms = {{ path = '{}' }}\n", path.display())))
            }
            Self::DmsOpen => return None,
            Self::Kameo => (include_str!("../minimal/kameo.rs"), with_tokio(plain("kameo"))),
            Self::Ractor => (include_str!("../minimal/ractor.rs"), with_tokio(plain("ractor"))),
            Self::Actix => (include_str!("../minimal/actix.rs"), plain("actix")),
            Self::Xtra => {
                let line =
                    format!("xtra = {{ version = \"={}\", features = [\"macros\", \"tokio\"] }}\n", version("xtra"));
                (include_str!("../minimal/xtra.rs"), with_tokio(line))
            }
            Self::Murmer => {
                let serde = "serde = { version = \"1\", features = [\"derive\"] }\n";
                (include_str!("../minimal/murmer.rs"), with_tokio(plain("murmer") + serde))
            }
        };
        Some(Sources { main, dependencies })
    }
}

/// A minimal program on the disk.
struct Minimal {
    contestant: Name,
    directory: PathBuf,
}

impl Minimal {
    /// Writes the program, with the versions that this one was built with, and fetches what it needs.
    fn write(contestant: Name) -> Result<Self, String> {
        let Sources { main, dependencies } = contestant.minimal().ok_or("no minimal program")?;
        let directory = target_directory()?.join("minimal").join(name(contestant));
        let manifest = format!(
            "[package]\nname = \"minimal\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\n{dependencies}\n[workspace]\n"
        );
        let write = || -> io::Result<()> {
            fs::create_dir_all(directory.join("src"))?;
            fs::write(directory.join("Cargo.toml"), manifest)?;
            fs::write(directory.join("Cargo.lock"), include_str!("../Cargo.lock"))?;
            fs::write(directory.join("src/main.rs"), main)
        };
        write().map_err(|error| format!("writing to {}: {error}", directory.display()))?;
        let program = Self { contestant, directory };
        program.cargo(&["fetch", "--quiet"])?;
        Ok(program)
    }

    /// Builds all from nothing, in seconds; and sees that the program works.
    fn build(&self) -> Result<f64, String> {
        let target = self.directory.join("target");
        if target.exists() {
            fs::remove_dir_all(&target).map_err(|error| format!("removing {}: {error}", target.display()))?;
        }
        let started = Instant::now();
        self.cargo(&["build", "--quiet", "--release", "--offline"])?;
        let seconds = started.elapsed().as_secs_f64();
        let printed = self.cargo(&["run", "--quiet", "--release", "--offline"])?;
        if printed.trim() != OUTPUT {
            return Err(format!("the minimal program of {} printed {printed:?}", name(self.contestant)));
        }
        Ok(seconds)
    }

    /// How many packages are compiled for this machine.
    fn crates(&self) -> Result<usize, String> {
        let tree = self.cargo(&["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"])?;
        let packages: BTreeSet<&str> = tree
            .lines()
            .map(|line| line.trim_end_matches(" (*)").trim_end_matches(" (proc-macro)"))
            .filter(|line| !line.is_empty() && !line.starts_with("minimal v"))
            .collect();
        Ok(packages.len())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        let mut cargo = cargo();
        cargo.args(arguments).current_dir(&self.directory);
        cargo.env("CARGO_TARGET_DIR", self.directory.join("target"));
        let Output { status, stdout, stderr } = output(&mut cargo)?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&stderr);
        Err(format!("cargo {} for {}: {status}\n{said}", arguments.join(" "), name(self.contestant)))
    }
}

fn output(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("cargo cannot be started: {error}"))
}
