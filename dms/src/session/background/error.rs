//! How a background task fails.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::module::ModuleError;

/// A background task failed. The others of its monitor have been cancelled, and have gone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BackgroundError {
    /// It returned an error.
    Failed {
        /// The task's name.
        task: String,
        /// What it returned.
        error: Arc<dyn Error + Send + Sync>,
    },
    /// It panicked.
    Panicked {
        /// The task's name.
        task: String,
        /// What the panic said.
        text: String,
    },
}

impl BackgroundError {
    pub(super) fn failed(task: String, error: ModuleError) -> Self {
        Self::Failed { task, error: Arc::from(error.into_inner()) }
    }

    /// The name of the task.
    #[must_use]
    pub fn task(&self) -> &str {
        match self {
            Self::Failed { task, .. } | Self::Panicked { task, .. } => task,
        }
    }
}

impl fmt::Display for BackgroundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { task, error } => write!(f, "background task `{task}` failed: {error}"),
            Self::Panicked { task, text } => write!(f, "background task `{task}` panicked: {text}"),
        }
    }
}

impl Error for BackgroundError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // The error itself is part of the text.
            Self::Failed { error, .. } => error.source(),
            Self::Panicked { .. } => None,
        }
    }
}
