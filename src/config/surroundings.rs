//! What surrounds a process: its environment and directories, gathered once, so that everything else is given them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The variables and directories that the configuration depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// The environment, without variables that are no UTF-8.
    pub env: BTreeMap<String, String>,
    /// The user's configuration: `$XDG_CONFIG_HOME/gonogo`.
    pub config_dir: PathBuf,
    /// The user's data: `$XDG_DATA_HOME/gonogo`.
    pub data_dir: PathBuf,
    /// The directory in which the process was started.
    pub working_dir: PathBuf,
    /// Where the digests of trusted files lie.
    pub trust_dir: PathBuf,
}

/// Why the surroundings could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum SurroundingsError {
    /// The user has no home directory.
    #[error("failed to find the home directory; set HOME")]
    Home,
    /// The working directory is gone.
    #[error("failed to find the working directory: {0}")]
    WorkingDirectory(std::io::Error),
}

impl Surroundings {
    /// Gathers them from the process.
    ///
    /// # Errors
    /// When the user has no home directory, or the working directory is gone.
    pub fn gather() -> Result<Self, SurroundingsError> {
        let project = directories::ProjectDirs::from("", "", "gonogo").ok_or(SurroundingsError::Home)?;
        let env = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Ok(Self {
            env: env.collect(),
            config_dir: project.config_dir().to_owned(),
            data_dir: project.data_dir().to_owned(),
            working_dir: std::env::current_dir().map_err(SurroundingsError::WorkingDirectory)?,
            trust_dir: project.data_dir().to_owned(),
        })
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether `GONOGO_READ_ONLY` says so, or what stands there in the place of a yes or no.
    pub fn read_only(&self) -> Option<Result<bool, &str>> {
        self.variable("GONOGO_READ_ONLY").map(|value| match value {
            "1" | "true" | "yes" => Ok(true),
            "0" | "false" | "no" => Ok(false),
            other => Err(other),
        })
    }
}

/// What the command line says about the configuration; the highest layer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    /// `--config F`: this file in place of the user's and the project's.
    pub config: Option<PathBuf>,
    /// `--theme T`.
    pub theme: Option<String>,
    /// `--keymap K`.
    pub keymap: Option<String>,
    /// `--read-only`.
    pub read_only: bool,
}

impl Flags {
    /// These, and what variables say where they say nothing: for a simulated room, over which lies no file that could be read with them.
    /// Whatever stands in `GONOGO_READ_ONLY` but a no makes it one to look at only.
    #[must_use]
    pub fn or_variables(&self, around: &Surroundings) -> Self {
        let variable = |name: &str| around.variable(name).map(str::to_owned);
        Self {
            config: self.config.clone(),
            theme: self.theme.clone().or_else(|| variable("GONOGO_THEME")),
            keymap: self.keymap.clone().or_else(|| variable("GONOGO_KEYMAP")),
            read_only: self.read_only || around.read_only().is_some_and(|said| said != Ok(false)),
        }
    }
}
