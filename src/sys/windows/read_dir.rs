//! `GetFileInformationByHandleEx` with `FileIdBothDirectoryInfo`: the names in a folder, from its
//! handle. Names that are not valid Unicode are left out, because no path can ask for them.

use super::folder::GetFileInformationByHandleEx;
use crate::sys::read_dir::kind::Kind;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};

/// Goes on where the last call ended.
const FILE_ID_BOTH_DIRECTORY_INFO: i32 = 10;
/// The same from the start.
const FILE_ID_BOTH_DIRECTORY_RESTART_INFO: i32 = 11;

const ERROR_NO_MORE_FILES: i32 = 18;
/// The result of some systems when nothing at all is there.
const ERROR_FILE_NOT_FOUND: i32 = 2;

/// Words of 8 bytes, to which the entries are aligned: 32 KiB, some hundreds of names a call.
const WORDS: usize = 4096;

// Offsets of the fields of a `FILE_ID_BOTH_DIR_INFO`.
const NEXT_AT: usize = 0;
const ATTRIBUTES_AT: usize = 56;
const NAME_LENGTH_AT: usize = 60;
/// `EaSize`, which is the tag of a reparse point where there is one.
const TAG_AT: usize = 64;
const NAME_AT: usize = 104;

const ATTRIBUTE_DIRECTORY: u32 = 0x10;
const ATTRIBUTE_REPARSE_POINT: u32 = 0x400;
const TAG_SYMLINK: u32 = 0xA000_000C;
/// A junction or a mounted volume.
const TAG_MOUNT_POINT: u32 = 0xA000_0003;

/// Calls `each` with every name, `.` and `..` too.
pub fn for_each(
    folder: &File,
    each: &mut dyn FnMut(&[u8], Kind) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut words = vec![0_u64; WORDS];
    let mut class = FILE_ID_BOTH_DIRECTORY_RESTART_INFO;
    while read(folder.as_handle(), class, &mut words)? {
        class = FILE_ID_BOTH_DIRECTORY_INFO;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        if each_of(&bytes, each).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads as many entries as the buffer holds; false after the last one.
fn read(folder: BorrowedHandle<'_>, class: i32, words: &mut [u64]) -> io::Result<bool> {
    let length = size_of_val(words) as u32;
    let to = words.as_mut_ptr().cast::<c_void>();
    // SAFETY: `to` points to `length` bytes, aligned to 8, that are ours alone to be written.
    let is_read =
        unsafe { GetFileInformationByHandleEx(folder.as_raw_handle(), class, to, length) };
    if is_read != 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(ERROR_NO_MORE_FILES | ERROR_FILE_NOT_FOUND) => Ok(false),
        _ => Err(error),
    }
}

/// The entries of one call, each of which has the distance to the next one; the last one has 0.
fn each_of(
    mut bytes: &[u8],
    each: &mut dyn FnMut(&[u8], Kind) -> ControlFlow<()>,
) -> ControlFlow<()> {
    loop {
        let length = number(bytes, NAME_LENGTH_AT) as usize;
        let units = bytes
            .get(NAME_AT..NAME_AT.saturating_add(length))
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|unit| u16::from_ne_bytes([unit[0], unit[1]]));
        let name: Result<String, _> = char::decode_utf16(units).collect();
        if let Ok(name) = name {
            let kind = kind_of(number(bytes, ATTRIBUTES_AT), number(bytes, TAG_AT));
            each(name.as_bytes(), kind)?;
        }
        match (number(bytes, NEXT_AT) as usize, bytes) {
            (0, _) => return ControlFlow::Continue(()),
            (next, all) => bytes = all.get(next..).unwrap_or_default(),
        }
    }
}

/// The 32 bits at this offset; 0 after the end.
fn number(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

fn kind_of(attributes: u32, tag: u32) -> Kind {
    // Other reparse points are files that lie elsewhere, in the cloud for example, and not links.
    if attributes & ATTRIBUTE_REPARSE_POINT != 0 && matches!(tag, TAG_SYMLINK | TAG_MOUNT_POINT) {
        return Kind::Symlink;
    }
    if attributes & ATTRIBUTE_DIRECTORY != 0 {
        Kind::Folder
    } else {
        Kind::File
    }
}
