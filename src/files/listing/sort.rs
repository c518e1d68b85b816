//! Sorts in steps, so that it ends soon after the client has gone: a hundred thousand names take
//! a tenth of a second, and ten times that when they are made for it.

use std::cmp::Ordering;

/// The numbers below `count` in this order. `None` when `goes_on` says no, which is asked before
/// each step.
pub fn sorted(
    count: u32,
    compare: impl Fn(u32, u32) -> Ordering,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<Vec<u32>> {
    let mut from: Vec<u32> = (0..count).collect();
    for run in from.chunks_mut(STEP) {
        if !goes_on() {
            return None;
        }
        run.sort_unstable_by(|left, right| compare(*left, *right));
    }
    let mut width = STEP;
    let mut to = vec![0; if width < from.len() { from.len() } else { 0 }];
    while width < from.len() {
        let pairs = from.chunks(2 * width).zip(to.chunks_mut(2 * width));
        for (pair, to) in pairs {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, to, &compare, goes_on)?;
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    Some(from)
}

fn merge<'a>(
    mut left: &'a [u32],
    mut right: &'a [u32],
    to: &mut [u32],
    compare: &impl Fn(u32, u32) -> Ordering,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<()> {
    for step in to.chunks_mut(STEP) {
        if !goes_on() {
            return None;
        }
        for place in step {
            let next = match (left, right) {
                ([], _) => &mut right,
                ([first, ..], [other, ..]) if compare(*other, *first).is_lt() => &mut right,
                _ => &mut left,
            };
            if let Some((first, rest)) = next.split_first() {
                (*place, *next) = (*first, rest);
            }
        }
    }
    Some(())
}

/// The bytes that are taken while this many are sorted.
pub fn bytes(count: usize) -> usize {
    2 * count * size_of::<u32>()
}

/// Entries that are sorted or merged at a time: 5 ms of the slowest comparisons.
const STEP: usize = 1024;
