//! The command line: composition root, one verb a file.
