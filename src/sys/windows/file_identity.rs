//! A file's identity: `GetFileInformationByHandle`, and the change time.

use super::folder::{FileInformation, GetFileInformationByHandleEx, information};
use crate::sys::file_identity::Identity;
use std::ffi::c_void;
use std::fs::{File, Metadata};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};

/// `FileBasicInfo`.
const FILE_BASIC_INFO: i32 = 0;

/// `FILE_BASIC_INFO`.
#[repr(C)]
#[derive(Default)]
struct BasicInformation {
    created: i64,
    accessed: i64,
    written: i64,
    changed: i64,
    attributes: u32,
}

impl Identity {
    /// The identity of an open file: volume and index, length and write time, all of one moment
    /// (std's metadata may be of another), and the change time, which is left out where the file
    /// system keeps none (FAT). `None` when the system does not tell.
    pub fn of(file: &File, _metadata: &Metadata) -> Option<Identity> {
        let file = file.as_handle();
        let FileInformation {
            times,
            volume,
            size,
            index,
            ..
        } = information(file).ok()?;
        Some(Identity {
            place: [u64::from(volume), long(index)],
            length: long(size),
            // 100 nanoseconds since 1601; the last two of creation, access, write.
            modified: (i64::from(times[5]), i64::from(times[4])),
            changed: (changed(file).unwrap_or(0), 0),
        })
    }
}

/// A number whose upper half comes first.
fn long(halves: [u32; 2]) -> u64 {
    u64::from(halves[0]) << 32 | u64::from(halves[1])
}

/// The last change of content, name or attributes; 0 or `None` where the file system does not know.
fn changed(file: BorrowedHandle<'_>) -> Option<i64> {
    let mut information = BasicInformation::default();
    let length = size_of::<BasicInformation>() as u32;
    let to = (&raw mut information).cast::<c_void>();
    // SAFETY: `to` points to a live structure of `length` bytes that is ours alone to be written.
    let is_known =
        unsafe { GetFileInformationByHandleEx(file.as_raw_handle(), FILE_BASIC_INFO, to, length) };
    (is_known != 0).then_some(information.changed)
}
