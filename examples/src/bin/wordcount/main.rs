//! Counts the words of all text files below a path: modules only, bounded mailboxes, a shutdown in order.
//!
//! ```sh
//! cargo run --release -p dms-examples --bin wordcount -- PATH
//! ```
//!
//! PATH is a directory or a file; without it, it is this repository. What a `.gitignore` names is left out, and so
//! are `.git`, links, and what is not a regular file. A word is what `wc -w` of GNU coreutils counts as one in the
//! same locale (`splitter.rs` says what that is), so that the total is the same. A file with a NUL in its first 8 KiB
//! is binary: it is named on stderr and not counted, and neither is one that cannot be read. It prints the 20 most
//! frequent words, then the totals:
//!
//! ```text
//!            … …
//!
//! files       …
//! words       …
//! distinct    …
//! binary      …
//! unreadable  …
//! bytes       …
//! seconds     …  (… MB/s)
//! ```
//!
//! On a terminal a bar shows the progress. Ctrl-C ends the reading; then it prints what has been counted so far, and
//! above the totals how many files were left. The exit code is 0; 1 where something could not be read; 2 for a PATH
//! that is not there; 130 after Ctrl-C.
//!
//! # The pipeline
//! A `Walker` finds files and sends each to the least loaded `Reader` of a pool. The readers count piece by piece,
//! and send what they have in batches to the `Shard`s, each of which owns the words with certain hashes. The
//! `Reporter` hears from all what it draws. Every mailbox is bounded, so that each waits for the next when it is
//! ahead; a file of any size takes no more memory than a small one. At the end the readers are drained, and their
//! `#[stop]` hooks send the rest. Behind that, in the shards' mailboxes, come the questions for the result.
//!
//! # Figures
//! 1 GiB of generated prose (a file of 256 MiB and 768 of 1 MiB; 240 million words, 2.2 million different ones, as
//! rare as those of a natural language) on a machine of two cores: 3.9 s, 270 MB/s, 172 MiB of memory at most, nearly
//! all of it the table of words. `wc -w` takes 4.2 s in the locale `C.UTF-8`, 5.8 s in `C`. 1 GiB with 1,000
//! different words takes 5 MiB. To measure it again:
//!
//! ```sh
//! DMS_LONG=1 cargo test --release -p dms-examples --test examples -- --nocapture gibibyte memory
//! ```

mod reader;
mod report;
mod reporter;
mod shard;
mod splitter;
mod walker;
mod words;

use std::error::Error;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use dms::prelude::*;

use reader::{Counts, Desk, Reader};
use report::Report;
use reporter::{Reporter, ReporterRef as _};
use shard::{Shard, ShardRef as _};
use splitter::Charset;
use walker::{Walker, WalkerRef as _};
use words::WordMaker;

/// How many of the most frequent words are shown.
const TOP: usize = 20;

/// Why a run ends without a result, as an exit code.
const WRONG_USE: u8 = 2;

/// What a shell says of a process that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (root, rest) = (arguments.next().map_or_else(repository, PathBuf::from), arguments.next());
    if rest.is_some() {
        eprintln!("wordcount: one PATH at most: wordcount [PATH]");
        return ExitCode::from(WRONG_USE);
    }
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() || metadata.is_file() => {}
        Ok(_) => {
            eprintln!("wordcount: {} is neither a directory nor a file", root.display());
            return ExitCode::from(WRONG_USE);
        }
        Err(error) => {
            eprintln!("wordcount: {}: {error}", root.display());
            return ExitCode::from(WRONG_USE);
        }
    }
    let report = match count(root).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("wordcount: {error}");
            return ExitCode::FAILURE;
        }
    };
    match report.write(io::stdout().lock()) {
        // Whoever reads the output may have had enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("wordcount: {error}");
            ExitCode::FAILURE
        }
        _ if report.interrupted => ExitCode::from(INTERRUPTED),
        _ if report.tally.unreadable > 0 => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Sets the pipeline up, lets it run, and drains it from its beginning to its end.
async fn count(root: PathBuf) -> Result<Report, Box<dyn Error>> {
    let begun = Instant::now();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let interrupted = Arc::new(AtomicBool::new(false));
    let system = System::builder("wordcount").build();

    // From the end of the pipeline to its beginning: a shutdown stops the youngest module first.
    let reporter = system.register_module(Reporter::new()).await?;
    let shards = system.register_pool(cores, |_| Shard::default()).await?;
    let (charset, maker) = (Charset::of_environment(), WordMaker::default());
    let readers = {
        let (shards, reporter, interrupted) = (shards.clone(), reporter.clone(), Arc::clone(&interrupted));
        let desk = move || {
            let counts = Counts::new(charset, maker.clone(), &shards);
            Desk::new(counts, reporter.clone(), Arc::clone(&interrupted))
        };
        system.register_pool(cores, move |_| Reader::new(desk())).await?
    };
    let walker = system.register_module(Walker { readers: readers.clone(), reporter: reporter.clone() }).await?;

    let work = async {
        walker.walk(root).no_timeout().await??;
        // All files have been sent. The readers' last act is to send what they have counted, and behind that come the
        // questions.
        readers.drain().await.unwrap();
        Ok::<_, Box<dyn Error>>(())
    };
    tokio::select! {
        biased;
        signal = ctrl_c() => {
            signal?;
            // The readers leave their files where they are, and the walker finds nobody to send to.
            interrupted.store(true, Ordering::Relaxed);
            readers.stop().await.unwrap();
            walker.stop().await.unwrap();
        }
        end = work => end?,
    }
    if let Some(failure) = readers.drain().await.unwrap().into_iter().find_map(|reader| reader.failure) {
        return Err(failure.into());
    }
    let mut summaries = Vec::with_capacity(shards.len());
    for shard in shards.members() {
        summaries.push(shard.summarize(TOP).no_timeout().await?);
    }
    let tally = reporter.take_tally().no_timeout().await?;
    system.shutdown().await;
    Ok(Report::new(tally, summaries, begun.elapsed(), interrupted.load(Ordering::Relaxed)))
}

/// Waits for Ctrl-C. The next one ends the process at once.
async fn ctrl_c() -> io::Result<()> {
    tokio::signal::ctrl_c().await?;
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(INTERRUPTED.into());
        }
    });
    Ok(())
}

/// The repository that this example comes from, or the directory that it runs in.
fn repository() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|path| path.is_dir());
    repository.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
