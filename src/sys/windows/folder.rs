//! A folder held open, and opening beneath it by comparing final paths.
//!
//! A handle's final path (`GetFinalPathNameByHandleW`: every link followed, every short name
//! spelled out) must lie below the root's. The file is opened first and checked then, so nothing
//! can be swapped in between. Links are judged by where they lead, so an absolute one that stays
//! inside is followed here.

use crate::sys::beneath::contract::{OpenError, Symlinks};
use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};
use std::path::{Path, PathBuf};

/// How a file is opened: the access for `CreateFileW`.
pub type Access = u32;

/// Opens for reading (`GENERIC_READ`).
pub const READ: Access = 0x8000_0000;

/// Opens only to ask for metadata: "If this parameter is zero, the application can query certain
/// metadata such as file, directory, or device attributes without accessing that file or device".
pub const METADATA: Access = 0;

/// Without it a folder cannot be opened.
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

/// Characters of a final path: the longest path of NT has 32,767.
const FINAL_PATH_MAX: usize = 32_768;

const ERROR_FILE_NOT_FOUND: i32 = 2;
const ERROR_PATH_NOT_FOUND: i32 = 3;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_INVALID_NAME: i32 = 123;
const ERROR_FILENAME_EXCED_RANGE: i32 = 206;
const ERROR_DIRECTORY: i32 = 267;
const ERROR_CANT_RESOLVE_FILENAME: i32 = 1921;

/// Names of devices, which exist in every folder, with any extension.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// `BY_HANDLE_FILE_INFORMATION`, whose fields are all numbers of 32 bits.
#[repr(C)]
#[derive(Default)]
pub struct FileInformation {
    pub attributes: u32,
    /// Creation, access, write, the lower half of each first.
    pub times: [u32; 6],
    pub volume: u32,
    pub size: [u32; 2],
    pub links: u32,
    pub index: [u32; 2],
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetFinalPathNameByHandleW(file: *mut c_void, path: *mut u16, length: u32, flags: u32)
    -> u32;
    fn GetFileInformationByHandle(file: *mut c_void, information: *mut FileInformation) -> i32;
    pub(super) fn GetFileInformationByHandleEx(
        file: *mut c_void,
        class: i32,
        to: *mut c_void,
        length: u32,
    ) -> i32;
}

/// A folder held open, and its path.
#[derive(Debug)]
pub struct Folder {
    handle: File,
    // Absolute, so that it stays the same when the program changes its current folder.
    path: PathBuf,
}

impl Folder {
    /// Opens a folder. Links on the way are followed: the program chose the path.
    pub fn open(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        let handle = open(&path, READ)?;
        if !handle.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Folder { handle, path })
    }

    /// Opens `path` (valid names joined by `/`, empty for the root itself) below the folder.
    ///
    /// The way starts at the folder's final path, not at the path that it was opened by: that may
    /// name another folder by now.
    pub fn open_beneath(
        &self,
        path: &[u8],
        symlinks: Symlinks,
        access: Access,
    ) -> Result<File, OpenError> {
        // File names are UTF-16 here: invalid UTF-8 names nothing.
        let path = std::str::from_utf8(path).map_err(|_| OpenError::NotFound)?;
        let root = final_path(self.handle.as_handle()).map_err(open_error)?;
        let mut full = root.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if full.last() != Some(&BACKSLASH) {
                full.push(BACKSLASH);
            }
            full.extend(name.encode_utf16());
        }
        let name: std::ffi::OsString = std::os::windows::ffi::OsStringExt::from_wide(&full);
        let file = open(Path::new(&name), access).map_err(open_error)?;
        if symlinks == Symlinks::All {
            return Ok(file);
        }
        let found = final_path(file.as_handle()).map_err(open_error)?;
        match symlinks {
            // STRICTER: a name in other letters, or a short one, is refused with the links. Which
            // letters are the same depends on the volume and the folder, and `Link` may lead to
            // `link` where they differ.
            Symlinks::None if found != full => Err(OpenError::Symlink),
            _ if !is_beneath(&root, &found) => Err(OpenError::Escapes),
            _ => Ok(file),
        }
    }

    /// Whether the path still names this folder, by volume and file index.
    pub fn is_current(&self) -> bool {
        let named = open(&self.path, METADATA).and_then(|named| identity(named.as_handle()));
        match (identity(self.handle.as_handle()), named) {
            (Ok(held), Ok(named)) => held == named,
            _ => false,
        }
    }
}

/// Whether Windows takes the bytes for a plain name.
pub fn is_valid_name(name: &[u8]) -> bool {
    // Separators, drives and alternate streams; forbidden characters; control characters.
    let is_special = |byte: &u8| b"\\:*?\"<>|".contains(byte) || *byte < 0x20;
    if name.iter().any(is_special) {
        return false;
    }
    // A dot or a space at the end is ignored: `x.` would be `x`.
    if matches!(name.last(), Some(b'.' | b' ')) {
        return false;
    }
    !is_device(name)
}

const BACKSLASH: u16 = b'\\' as u16;

/// `CON`, `nul.txt`, `COM1` and so on: only the part before the first dot counts, without spaces at
/// its end.
fn is_device(name: &[u8]) -> bool {
    let stem = name.split(|&byte| byte == b'.').next();
    let Ok(stem) = std::str::from_utf8(stem.unwrap_or(name).trim_ascii_end()) else {
        return false;
    };
    let stem = stem.to_ascii_uppercase();
    if DEVICES.contains(&stem.as_str()) {
        return true;
    }
    let port = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    // The superscript digits count as digits here.
    port.is_some_and(|port| {
        let mut digits = port.chars();
        let is_digit = matches!(digits.next(), Some(digit) if "0123456789¹²³".contains(digit));
        is_digit && digits.next().is_none()
    })
}

/// Whether `path` is `root` or lies below it. Both come from the system, which spells one folder in
/// one way, so they are compared as they are.
fn is_beneath(root: &[u16], path: &[u16]) -> bool {
    match path.strip_prefix(root) {
        // The root of a drive ends in a backslash already.
        Some(rest) => rest.is_empty() || root.ends_with(&[BACKSLASH]) || rest[0] == BACKSLASH,
        None => false,
    }
}

fn open(path: &Path, access: Access) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
}

pub fn open_error(error: io::Error) -> OpenError {
    match error.raw_os_error() {
        // Nothing there, a file in place of a folder, or a name that no file can have.
        Some(
            ERROR_FILE_NOT_FOUND
            | ERROR_PATH_NOT_FOUND
            | ERROR_DIRECTORY
            | ERROR_INVALID_NAME
            | ERROR_FILENAME_EXCED_RANGE,
        ) => OpenError::NotFound,
        // The process may not, or another process has the file for itself.
        Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION) => OpenError::Denied,
        // Too many links.
        Some(ERROR_CANT_RESOLVE_FILENAME) => OpenError::Loop,
        _ => OpenError::Io(error),
    }
}

fn final_path(file: BorrowedHandle<'_>) -> io::Result<Vec<u16>> {
    let mut path = vec![0; FINAL_PATH_MAX];
    let to = path.as_mut_ptr();
    // SAFETY: `to` points to FINAL_PATH_MAX characters that are ours alone to be written.
    let length =
        unsafe { GetFinalPathNameByHandleW(file.as_raw_handle(), to, FINAL_PATH_MAX as u32, 0) };
    if length == 0 {
        return Err(io::Error::last_os_error());
    }
    // Longer than the buffer: the number is the length needed.
    if length as usize >= FINAL_PATH_MAX {
        return Err(io::Error::from_raw_os_error(ERROR_FILENAME_EXCED_RANGE));
    }
    path.truncate(length as usize);
    Ok(path)
}

/// Identifies this file among all that are open.
fn identity(file: BorrowedHandle<'_>) -> io::Result<(u32, [u32; 2])> {
    information(file).map(|information| (information.volume, information.index))
}

pub fn information(file: BorrowedHandle<'_>) -> io::Result<FileInformation> {
    let mut information = FileInformation::default();
    // SAFETY: `information` is a live structure that is ours alone to be written.
    let is_known = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &mut information) };
    if is_known == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(information)
}
