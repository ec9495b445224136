//! What is on the disk before what leaves the process: seen from between the program and its C library.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::headless::place::{Pair, Place};

/// Notes each synchronisation with its file, and each write to a socket with its first bytes, one a line, before it is done.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void note(const char *what, int fd, const char *bytes, size_t length) {
    char link[64], path[4096] = "", line[8192];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t read = readlink(link, path, sizeof path - 1);
    if (read < 0) read = 0;
    path[read] = 0;
    int size = snprintf(line, sizeof line, "%s %s ", what, path);
    for (size_t n = 0; n < length && n < 400; n++) line[size++] = bytes[n] < ' ' ? ' ' : bytes[n];
    line[size++] = '\n';
    int log = open(getenv("GONOGO_TEST_SHIM"), O_WRONLY | O_APPEND | O_CREAT, 0600);
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (log >= 0) { real(log, line, size); close(log); }
}
static int is_socket(int fd) { struct stat st; return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode); }

int fsync(int fd) { note("sync", fd, "", 0); int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); return real(fd); }
int fdatasync(int fd) { note("sync", fd, "", 0); int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); return real(fd); }
ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    note("send", fd, bytes, length);
    ssize_t (*real)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
    return real(fd, bytes, length, flags);
}
ssize_t write(int fd, const void *bytes, size_t length) {
    if (is_socket(fd)) note("send", fd, bytes, length);
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return real(fd, bytes, length);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (is_socket(fd) && count > 0) note("send", fd, parts[0].iov_base, parts[0].iov_len);
    ssize_t (*real)(int, const struct iovec *, int) = dlsym(RTLD_NEXT, "writev");
    return real(fd, parts, count);
}
int rename(const char *from, const char *to) {
    int log = open(getenv("GONOGO_TEST_SHIM"), O_WRONLY | O_APPEND | O_CREAT, 0600);
    char line[8192];
    int size = snprintf(line, sizeof line, "rename %s %s\n", from, to);
    ssize_t (*put)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (log >= 0) { put(log, line, size); close(log); }
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return real(from, to);
}
"#;

/// The compiled shim, once a test run.
fn shim() -> PathBuf {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shim.c"), SHIM).unwrap();
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o", "shim.so", "shim.c", "-ldl"]).current_dir(folder.path()).output();
        let made = made.expect("a C compiler is installed: run tests/servers first");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder
    });
    folder.path().join("shim.so")
}

/// What a verb did, a line each, in its order.
fn seen(place: &Place, args: &[&str]) -> Vec<String> {
    let log = place.path("shim.log");
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), args);
    Place::started(command.env("LD_PRELOAD", shim()).env("GONOGO_TEST_SHIM", &log)).end().exits(0);
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    std::fs::remove_file(log).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn at(lines: &[String], what: impl Fn(&str) -> bool) -> Vec<usize> {
    lines.iter().enumerate().filter(|(_, line)| what(line)).map(|(n, _)| n).collect()
}

fn synced(line: &str) -> bool {
    line.starts_with("sync ") && line.contains("/ledger.db")
}

#[test]
fn p2_intent_and_sending_are_on_the_disk_before_the_first_byte_of_the_effect_and_the_outcome_after() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let place = pair.room(&pool).place();
    let lines = seen(&place, &["shift", "checkout@prod", "20"]);
    let told = lines.join("\n");
    let effect = at(&lines, |line| line.starts_with("send ") && line.contains("set server") && line.contains(&pool));
    let first = *effect.first().unwrap_or_else(|| panic!("no effect left:\n{told}"));
    let synced = at(&lines, synced);
    let before = synced.iter().filter(|sync| **sync < first).count();
    // Signers, intent and sending are three transactions.
    assert!(before >= 3, "{before} synchronisations of the ledger before the effect:\n{told}");
    let last = *effect.last().unwrap();
    assert!(synced.iter().filter(|sync| **sync > last).count() >= 2, "accepted and effective come after:\n{told}");
}

#[test]
fn p23_each_checkpoint_is_on_the_disk_before_it_takes_its_place() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    place.run(&["note", "checkout@prod", "first"]).exits(0);
    let lines = seen(&place, &["note", "checkout@prod", "second"]);
    let told = lines.join("\n");
    let renamed = at(&lines, |line| line.starts_with("rename ") && line.ends_with("/checkpoint"));
    assert!(!renamed.is_empty(), "no checkpoint took its place:\n{told}");
    for place in renamed {
        let from = lines[place].split(' ').nth(1).unwrap();
        let synced = at(&lines, |line| line.trim_end() == format!("sync {from}"));
        assert!(synced.iter().any(|sync| *sync < place), "{from} was never synchronised:\n{told}");
    }
}
