//! The folders that SQL Server's sandbox on Linux shows to scripts. Scripts cannot load a driver from another folder.
//!
//! Windows does not use this module: there, rights decide and not folders.

use std::path::Path;

/// The folders that a script sees. docs/administrators-linux.md lists them with their source.
const SHOWN: [&str; 21] = [
    "/bin",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt/microsoft",
    "/opt/mssql-extensibility",
    "/opt/mssql-tools",
    "/opt/mssql/lib/zulu-jre-11",
    "/opt/mssql/mlservices",
    "/sbin",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec/gcc",
    "/usr/sbin",
    "/usr/share",
    "/var/lib",
    "/var/opt/mssql-extensibility/data",
];

/// The fix for a hidden file.
pub const REMEDY: &str = "Fix: move it to a folder that scripts can see, or show them its folder with `mssql-conf set \
    extensibility.datadirectories`";

/// Whether scripts that SQL Server runs cannot see `path`, or the target of its links. Folders added with `mssql-conf` are not
/// considered. A path that does not exist is judged by its name. A relative path counts as visible.
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
    fn system_and_microsoft_library_folders_are_visible() {
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
    fn other_folders_are_hidden() {
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
    fn the_documentation_has_the_same_folders() {
        let page = include_str!("../../../docs/administrators-linux.md");
        let (_, table) = page.split_once("| can be seen | cannot be seen").unwrap();
        let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
        let folders = |column: usize| -> Vec<&str> {
            let cells = rows.iter().filter_map(|row| row.split('|').nth(column));
            // /tmp is another one for each script.
            cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|path| *path != "/tmp").collect()
        };
        let mut documented = folders(1);
        documented.sort_unstable();
        assert_eq!(documented, SHOWN);
        // "The rest of" a folder has some that are seen, and scripts have a home of their own.
        let wholly = |folder: &&str| SHOWN.iter().all(|shown| !Path::new(shown).starts_with(folder));
        let unseen = folders(2).into_iter().filter(|path| path.starts_with('/') && *path != "/home/mssql_satellite");
        unseen.filter(wholly).for_each(|folder| assert!(hidden(Path::new(folder)), "{folder}"));
    }

    #[test]
    fn a_bare_library_name_is_left_to_the_loader() {
        assert!(!hidden(Path::new("libmsodbcsql.so")));
    }

    #[test]
    fn a_link_is_visible_only_if_it_and_its_target_are() {
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
