//! The examples of dms; each is a binary that says in its first lines how to run it and what it prints.
