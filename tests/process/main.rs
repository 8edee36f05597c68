//! Tests of OS processes as modules, a file per topic.
