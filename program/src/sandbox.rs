//! What the sandbox shows in which SQL Server on Linux runs scripts: a driver that stands elsewhere is not there for them.
//!
//! On Windows what decides is not where a file stands but who may read it, and nothing here is asked.

use std::path::Path;

/// The folders that a script sees, as SQL Server's documentation lists them, and the one of its sessions.
const SHOWN: [&str; 22] = [
    "/bin",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt/microsoft",
    "/opt/mssql-extensibility",
    "/opt/mssql-tools",
    "/opt/mssql/mlservices",
    "/sbin",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec/gcc",
    "/usr/libx32",
    "/usr/sbin",
    "/usr/share",
    "/var/lib",
    "/var/opt/mssql-extensibility/data",
];

/// What makes a hidden file seen, for those who cannot move it.
pub const REMEDY: &str = "`mssql-conf set extensibility.datadirectories` shows further folders to scripts";

/// Whether a script that SQL Server runs cannot see what stands at `path`, as it is written and where its links lead, unless
/// `mssql-conf` has been told of its folder. What is not there is judged by its name; a relative path cannot be judged, and
/// is not hidden.
pub fn hidden(path: &Path) -> bool {
    let leads_to = path.canonicalize();
    path.is_absolute() && !both_shown(path, leads_to.as_deref().unwrap_or(path))
}

fn both_shown(path: &Path, leads_to: &Path) -> bool {
    [path, leads_to].iter().all(|path| SHOWN.iter().any(|folder| path.starts_with(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_the_system_s_libraries_and_of_microsoft_s_are_seen() {
        for path in [
            "/usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so",
            "/usr/lib64/libloopbackodbc.so",
            "/etc/odbc.ini",
            "/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1",
            "/opt/mssql/mlservices/libraries",
            "/lib64/ld-linux-x86-64.so.2",
        ] {
            assert!(!hidden(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn what_administrators_install_elsewhere_is_not() {
        for path in [
            "/usr/local/lib/libloopbackodbc.so",
            "/home/user/.odbc.ini",
            "/root/.odbc.ini",
            "/tmp/x",
            "/opt/other/lib.so",
            "/opt/mssql/lib/x.so",
            "/usr/libexec/other",
            "/etcetera",
        ] {
            assert!(hidden(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_plain_name_is_for_the_loader_to_search_and_not_judged() {
        assert!(!hidden(Path::new("libmsodbcsql.so")));
    }

    #[test]
    fn a_link_is_where_it_stands_and_where_it_leads() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(hidden(&link));
        let (shown, elsewhere) = (Path::new("/usr/lib/x.so"), Path::new("/srv/x.so"));
        assert!(both_shown(shown, shown));
        assert!(!both_shown(shown, elsewhere));
        assert!(!both_shown(elsewhere, shown));
    }
}
