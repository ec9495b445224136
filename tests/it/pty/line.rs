//! A bad line between a program and its terminal: late, narrow, losing packets that are sent again, with a queue that hides it all from the sender.
#![expect(clippy::disallowed_methods, reason = "a line takes real time")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What fits into one packet.
const PACKET: usize = 1400;

/// How bad a line is.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// From one end to the other.
    pub one_way: Duration,
    /// What the way to the terminal carries, in bytes a second.
    pub bytes_per_second: u32,
    /// Of a thousand packets so many are lost.
    pub lost_per_mille: u32,
    /// After that time a lost packet is sent again; everything behind it waits for it.
    pub sent_again_after: Duration,
    /// Packets that wait in queues on the way before the sender notices.
    pub queue: usize,
    /// What is thrown.
    pub seed: u64,
}

impl Line {
    /// 300 ms there and back, 64 kbit/s, 2 % lost, and 64 kB of queues: a satellite behind an SSH server.
    pub fn satellite(seed: u64) -> Self {
        Self {
            one_way: Duration::from_millis(150),
            bytes_per_second: 8_000,
            lost_per_mille: 20,
            sent_again_after: Duration::from_millis(500),
            queue: 46,
            seed,
        }
    }

    /// What the program writes, as it comes out at the terminal.
    pub fn reader(self, from: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        let (put, queued) = sync_channel(self.queue);
        let (deliver, arrived) = channel();
        std::thread::spawn(move || take_in(from, &put));
        std::thread::spawn(move || self.carry(&queued, &deliver));
        Box::new(Arriving { arrived, rest: VecDeque::new() })
    }

    /// What is typed, on its way to the program.
    pub fn writer(self, to: Box<dyn Write + Send>) -> Box<dyn Write + Send> {
        let (put, typed) = channel();
        std::thread::spawn(move || self.type_late(to, &typed));
        Box::new(Typed(put))
    }

    /// One packet after the other, each as long as the line is busy with it.
    fn carry(self, queued: &Receiver<Vec<u8>>, deliver: &Sender<(Instant, Vec<u8>)>) {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        let (mut free, mut last) = (Instant::now(), Instant::now());
        for packet in queued {
            let size = u32::try_from(packet.len()).unwrap_or(u32::MAX);
            free = free.max(Instant::now()) + Duration::from_secs(1) * size / self.bytes_per_second;
            last = last.max(free + self.one_way + self.sent_again(&mut dice));
            if deliver.send((last, packet)).is_err() {
                return;
            }
            std::thread::sleep(free.saturating_duration_since(Instant::now()));
        }
    }

    fn type_late(self, mut to: Box<dyn Write + Send>, typed: &Receiver<(Instant, Vec<u8>)>) {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed ^ 1);
        let mut last = Instant::now();
        for (at, keys) in typed {
            last = last.max(at + self.one_way + self.sent_again(&mut dice));
            std::thread::sleep(last.saturating_duration_since(Instant::now()));
            if to.write_all(&keys).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    }

    fn sent_again(self, dice: &mut ChaCha8Rng) -> Duration {
        if dice.random_range(0..1000) < self.lost_per_mille { self.sent_again_after } else { Duration::ZERO }
    }
}

fn take_in(mut from: Box<dyn Read + Send>, put: &SyncSender<Vec<u8>>) {
    let mut buffer = [0; PACKET];
    while let Ok(got) = from.read(&mut buffer)
        && got > 0
        && put.send(buffer[..got].to_vec()).is_ok()
    {}
}

/// The end of the line at the terminal.
struct Arriving {
    arrived: Receiver<(Instant, Vec<u8>)>,
    rest: VecDeque<u8>,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            let Ok((at, packet)) = self.arrived.recv() else { return Ok(0) };
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            self.rest.extend(packet);
        }
        self.rest.read(buffer)
    }
}

/// The end of the line at the keys.
struct Typed(Sender<(Instant, Vec<u8>)>);

impl Write for Typed {
    fn write(&mut self, keys: &[u8]) -> std::io::Result<usize> {
        self.0.send((Instant::now(), keys.to_vec())).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
        Ok(keys.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
