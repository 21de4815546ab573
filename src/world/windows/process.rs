//! What Windows reports about this process and the one that started it.

use super::module_path;
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::{GetTokenInformation, LookupAccountSidW, PSID, TOKEN_QUERY, TOKEN_USER, TokenUser};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::ProcessStatus::K32EnumProcessModules;
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

/// Names of accounts have at most 256 code units (UNLEN), names of domains at most 255.
const LONGEST_NAME: usize = 257;

/// The paths of this process's program and of the libraries that it has loaded, and of the program that started it.
pub fn process_paths() -> Result<Vec<String>, String> {
    let modules = modules().map_err(|error| error.to_string())?;
    let own = modules.into_iter().filter_map(|module| module_path(module.cast()));
    let mut paths: Vec<String> = own.map(|path| path.to_string_lossy().into_owned()).collect();
    // An AppContainer cannot see it.
    paths.extend(parent());
    Ok(paths)
}

/// The process's modules, its program first.
fn modules() -> io::Result<Vec<HANDLE>> {
    let mut modules: Vec<HANDLE> = vec![std::ptr::null_mut(); 256];
    loop {
        let (size, mut needed) = (size_of_val(&modules[..]), 0);
        // SAFETY: the list has the given size, in bytes.
        let code = unsafe {
            K32EnumProcessModules(GetCurrentProcess(), modules.as_mut_ptr().cast(), size as u32, &raw mut needed)
        };
        if code == 0 {
            return Err(io::Error::last_os_error());
        }
        let count = needed as usize / size_of::<HANDLE>();
        if count <= modules.len() {
            modules.truncate(count);
            return Ok(modules);
        }
        // More libraries may be loaded in the meantime.
        modules.resize(2 * count, std::ptr::null_mut());
    }
}

/// The program of the process that started this one, if Windows tells.
fn parent() -> Option<String> {
    // SAFETY: no pointers are passed.
    let snapshot = owned(unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) })?;
    let mut entry = PROCESSENTRY32W { dwSize: size_of::<PROCESSENTRY32W>() as u32, ..Default::default() };
    // SAFETY: the snapshot is open, and the entry contains its size.
    let mut more = unsafe { Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 && entry.th32ProcessID != std::process::id() {
        // SAFETY: as above.
        more = unsafe { Process32NextW(snapshot.as_raw_handle(), &raw mut entry) };
    }
    if more == 0 {
        return None;
    }
    // SAFETY: no pointers are passed.
    let parent = owned(unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, entry.th32ParentProcessID) })?;
    let mut buffer = vec![0; super::LONGEST_PATH];
    let mut length = buffer.len() as u32;
    // SAFETY: the process is open, and the buffer has the given length.
    let code = unsafe { QueryFullProcessImageNameW(parent.as_raw_handle(), 0, buffer.as_mut_ptr(), &raw mut length) };
    (code != 0).then(|| String::from_utf16_lossy(&buffer[..length as usize]))
}

/// The account that runs this process, `DOMAIN\NAME`.
pub fn account() -> Result<String, String> {
    let last = || io::Error::last_os_error().to_string();
    let mut token = std::ptr::null_mut();
    // SAFETY: the handle of the current process need not be closed; the token's handle is written.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(last());
    }
    let token = owned(token).ok_or("there is no token")?;
    // TOKEN_USER, followed by the identifier, which has at most 68 bytes (SECURITY_MAX_SID_SIZE). Aligned as required.
    let mut user = [0u64; 16];
    let (size, mut needed) = (size_of_val(&user) as u32, 0);
    let user: *mut c_void = user.as_mut_ptr().cast();
    // SAFETY: the token is open, and the buffer has the given size.
    if unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, user, size, &raw mut needed) } == 0 {
        return Err(last());
    }
    // SAFETY: Windows filled the buffer with this structure, whose pointer leads into the same buffer.
    let sid: PSID = unsafe { (*user.cast::<TOKEN_USER>()).User.Sid };
    let (mut name, mut domain, mut kind) = ([0; LONGEST_NAME], [0; LONGEST_NAME], 0);
    let (mut name_length, mut domain_length) = (LONGEST_NAME as u32, LONGEST_NAME as u32);
    // SAFETY: the identifier is complete; the buffers have the given lengths.
    let code = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            sid,
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if code == 0 {
        return Err(last());
    }
    let text = |units: &[u16], length: u32| String::from_utf16_lossy(&units[..length as usize]);
    Ok(format!("{}\\{}", text(&domain, domain_length), text(&name, name_length)))
}

/// A handle that will be closed; none for the two values with which Windows reports failure.
fn owned(handle: HANDLE) -> Option<OwnedHandle> {
    let is_one = !handle.is_null() && handle.addr() != usize::MAX;
    // SAFETY: Windows just returned the handle, and nothing else closes it.
    is_one.then(|| unsafe { OwnedHandle::from_raw_handle(handle) })
}
