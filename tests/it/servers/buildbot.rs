//! A real Buildbot.
