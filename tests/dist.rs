//! The files of a release, as administrators install them: in root folders of Debian 11, 12 and 13, and under Wine.
//!
//! `scripts/test-dist` makes what this needs. Each test has a copy of its root folder in memory.

mod common;

use common::root::{CONNECT, DATA_SOURCES, DRIVERS, Holder, OTHERS, assert_same, listing};
use common::server::Server;
use common::{Ran, assert_says, part, project};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the tests show Microsoft's driver: in a folder that scripts of SQL Server can see.
const TARGET_FOLDER: &str = "/usr/lib/msodbcsql-of-the-tests";
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What Linux and .rpm call an architecture, and what Debian calls it. The first is that of this machine.
const ARCHITECTURES: [(&str, &str); 2] = [("x86_64", "amd64"), ("aarch64", "arm64")];

/// A distribution in a root folder of its own. Everything that is written is in memory, and gone with this value.
struct Root {
    holder: Holder,
    _folder: tempfile::TempDir,
}

/// Mounts the root folder, enters it, and waits for the end of standard input.
const HOLD: &str = r#"
root=$1/root
mkdir "$1/memory" "$root"
mount -t tmpfs -o mode=755,size=2g tmpfs "$1/memory"
mkdir "$1/memory/upper" "$1/memory/work"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/memory/upper,workdir=$1/memory/work" "$root"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root$4" "$root$5" "$root$6"
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --bind "$3" "$root$4"
mount --rbind "$5" "$root$5"
mount --rbind "$6" "$root$6"
exec chroot "$root" ${7:+"$7"} /bin/bash -euc 'echo ready; read -r _ || true'
"#;

impl Root {
    fn new(suite: &str) -> Root {
        Root::of(suite, part("MSODBCSQL").parent().unwrap().parent().unwrap(), None)
    }

    /// With Microsoft's driver from this folder. An emulator, which is a file of the root, runs the programs of another architecture.
    fn of(suite: &str, driver: &Path, emulator: Option<&str>) -> Root {
        let folder = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        let target = part("STANDIN").parent().unwrap().to_owned();
        let mut command = Command::new("unshare");
        command.args(["--mount", "bash", "-euc", HOLD, "hold"]).arg(folder.path());
        command.arg(part("DIST_ROOTS").join(suite)).arg(driver).arg(TARGET_FOLDER);
        command.arg(project("").canonicalize().unwrap()).arg(target).args(emulator);
        Root { holder: Holder::of(&mut command), _folder: folder }
    }

    /// With the driver manager, Microsoft's driver in its files, and comments.
    fn prepared(suite: &str) -> Root {
        let root = Root::new(suite);
        root.sh("apt-get -qq -y --no-install-recommends install unixodbc odbcinst >/dev/null 2>&1").ok();
        root.holder.prepare(&target());
        root
    }

    fn read(&self, path: &str) -> String {
        self.holder.read(path)
    }

    fn write(&self, path: &str, contents: &str) {
        self.holder.write(path, contents);
    }

    /// A program in the root, with an environment like that of a package manager.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.holder.enter();
        command.args(["/usr/bin/env", "--chdir=/"]).arg(program).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root").env("LANG", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn sh(&self, script: &str) -> Ran {
        Ran::of(self.command("bash").args(["-c", script]))
    }

    /// Every file of /etc and /usr, and the contents of those that an installation may change.
    fn everything(&self) -> String {
        const FILES: &str = "find /etc /usr -xdev \\( -type d -printf '%p %y %m %U:%G\\n' -o -printf '%p %y %m %U:%G %s %l\\n' \\) | \
                             grep -v -e ^/etc/ld.so.cache | sort; find /etc/odbc* /usr/lib/*/odbc /usr/bin -type f -exec sha256sum {} + | sort";
        listing(self.command("bash").args(["-c", FILES]))
    }

    #[track_caller]
    fn is_as(&self, before: &str) {
        assert_same(before, &self.everything());
    }

    /// Connects with pyodbc, and prints the copy of the library that was loaded.
    #[track_caller]
    fn connects(&self, library: &str) {
        let server = Server::start();
        let string = format!("DSN=Loopback;{}", server.section().replace("se;cr}et", "{se;cr}}et}").replace('\n', ";"));
        let said = Ran::of(self.command("/usr/bin/python3").args(["-c", CONNECT, &string])).ok().stdout;
        assert_eq!(said, format!("connected: 12\nloaded: {library}\n"));
    }

    /// Installs, upgrades or removes with a command, which must end well.
    #[track_caller]
    fn apt(&self, arguments: &str) -> String {
        let ran = self.sh(&format!("apt-get -y --no-install-recommends -o Dpkg::Use-Pty=0 {arguments} 2>&1")).ok();
        ran.stdout
    }
}

/// Microsoft's driver in a root.
fn target() -> String {
    format!("{TARGET_FOLDER}/lib/{}", part("MSODBCSQL").file_name().unwrap().to_str().unwrap())
}

/// The release, the same built again, or the version before.
fn release() -> PathBuf {
    part("DIST")
}

fn older() -> PathBuf {
    part("DIST_WORK").join("old")
}

/// The one file of a release with this ending.
#[track_caller]
fn file(folder: &Path, ending: &str) -> String {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    let found: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{ending} in {}: {found:?}", folder.display());
    found.into_iter().next().unwrap()
}

fn deb(folder: &Path) -> String {
    file(folder, "_amd64.deb")
}

fn rpm(folder: &Path) -> String {
    file(folder, ".x86_64.rpm")
}

/// Unpacks an archive into a new folder.
fn unpacked(ending: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let archive = file(&release(), ending);
    Ran::of(Command::new("tar").args(["-xzf", &archive, "--strip-components=1", "-C"]).arg(folder.path())).ok();
    folder
}

/// The unpacked archive for every Linux of each architecture.
fn archives() -> impl Iterator<Item = (&'static str, tempfile::TempDir)> {
    ARCHITECTURES.iter().map(|(architecture, _)| (*architecture, unpacked(&format!("linux-{architecture}.tar.gz"))))
}

// --- The files themselves ---

#[test]
fn each_file_has_its_checksum_and_the_same_commit_gives_the_same_files() {
    let sums = |folder: &Path| {
        Ran::of(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(folder)).ok();
        fs::read_to_string(folder.join("SHA256SUMS")).unwrap()
    };
    let (sums, again) = (sums(&release()), sums(&part("DIST_WORK").join("same")));
    let r = format!("loopbackodbc_{VERSION}.tar.gz");
    let endings: Vec<String> = ARCHITECTURES
        .iter()
        .flat_map(|(architecture, debian)| {
            [
                format!("_{debian}.deb"),
                format!(".{architecture}.rpm"),
                format!("-linux-{architecture}.tar.gz"),
                format!("-linux-{architecture}-debug.tar.gz"),
                format!("manylinux2014_{architecture}.whl"),
            ]
        })
        .collect();
    for ending in &endings {
        let of = |sums: &str| sums.lines().find(|line| line.ends_with(ending)).map(str::to_owned);
        assert!(of(&sums).is_some(), "{ending}: {sums}");
        assert_eq!(of(&sums), of(&again), "{ending}");
    }
    // The MSI, the zip and the wheel for Windows, and the R package, which has the library for Windows in it.
    assert!(sums.contains(&r) && again.contains(&r));
    assert_eq!((sums.lines().count(), again.lines().count()), (endings.len() + 4, endings.len() + 1), "{sums}");
}

#[test]
fn library_and_program_need_glibc_2_17_at_most_and_nothing_else() {
    for (architecture, folder) in archives() {
        for name in ["libloopbackodbc.so", "loopback-odbc"] {
            let path = folder.path().join(name);
            let symbols = Ran::of(Command::new("objdump").arg("-T").arg(&path)).ok().stdout;
            let versions: BTreeSet<(u32, u32)> = symbols
                .split(['(', ')', ' '])
                .filter_map(|word| word.strip_prefix("GLIBC_"))
                .map(|version| {
                    let mut parts = version.split('.').map(|part| part.parse().unwrap());
                    (parts.next().unwrap(), parts.next().unwrap())
                })
                .collect();
            assert!(versions.last().is_some_and(|newest| *newest <= (2, 17)), "{architecture} {name}: {versions:?}");
            let dynamic = Ran::of(Command::new("readelf").arg("-hdW").arg(&path)).ok().stdout;
            let machine = if architecture == "x86_64" { "X86-64" } else { "AArch64" };
            assert!(dynamic.lines().any(|line| line.contains("Machine:") && line.ends_with(machine)), "{dynamic}");
            let needed: BTreeSet<&str> = dynamic
                .lines()
                .filter(|line| line.contains("(NEEDED)"))
                .filter_map(|line| line.split(['[', ']']).nth(1))
                .filter(|library| *library != "ld-linux-x86-64.so.2")
                .collect();
            // All of glibc, as is the loader.
            assert_eq!(needed, BTreeSet::from(["libc.so.6", "libdl.so.2", "libpthread.so.0"]), "{architecture} {name}");
            assert!(!dynamic.contains("RPATH") && !dynamic.contains("RUNPATH"), "{dynamic}");
        }
    }
}

#[test]
fn a_forwarded_call_on_aarch64_is_an_address_a_load_and_a_jump() {
    let folder = unpacked("linux-aarch64.tar.gz");
    let mut objdump = Command::new("aarch64-linux-gnu-objdump");
    objdump.args(["-d", "--no-show-raw-insn"]).arg(folder.path().join("libloopbackodbc.so"));
    let code = Ran::of(&mut objdump).ok().stdout;
    // As in tests/library.rs: the last two pass arguments on the stack.
    for function in ["SQLFetch", "SQLGetData", "SQLBindParameter", "SQLGetDescRecW"] {
        let body = &code[code.find(&format!(" <{function}@@Base>:")).unwrap()..];
        let mut instructions = body.lines().skip(1).filter_map(|line| line.split('\t').nth(1));
        for instruction in ["adrp", "ldr", "br"] {
            assert_eq!(instructions.next().map(str::trim), Some(instruction), "{function}");
        }
    }
}

#[test]
fn nothing_of_the_machine_that_built_them_is_in_the_files() {
    let root = project("").canonicalize().unwrap();
    let home = std::env::var("HOME").unwrap();
    for (architecture, folder) in archives() {
        for name in ["libloopbackodbc.so", "loopback-odbc", "libloopbackodbc.cdx.json", "loopback-odbc.cdx.json"] {
            let contents = String::from_utf8_lossy(&fs::read(folder.path().join(name)).unwrap()).into_owned();
            for path in [root.to_str().unwrap(), &format!("{home}/.cargo"), &format!("{home}/.rustup")] {
                assert!(!contents.contains(path), "{architecture} {name} contains {path}");
            }
            assert!(contents.contains("loopback"), "{name}");
        }
    }
}

#[test]
fn debug_symbols_fit_and_name_the_lines() {
    for (architecture, folder) in archives() {
        let tool = |name: &str| Command::new(format!("{architecture}-linux-gnu-{name}"));
        let debug = unpacked(&format!("linux-{architecture}-debug.tar.gz"));
        for name in ["libloopbackodbc.so", "loopback-odbc"] {
            let path = folder.path().join(name);
            let sections = Ran::of(tool("readelf").args(["-SW"]).arg(&path)).ok().stdout;
            assert!(!sections.contains(".symtab") && sections.contains(".gnu_debuglink"), "{sections}");
        }
        let symbols = Ran::of(tool("nm").arg("-D").arg(folder.path().join("libloopbackodbc.so"))).ok().stdout;
        let line = symbols.lines().find(|line| line.ends_with(" T SQLDriverConnectW")).unwrap();
        let debug = debug.path().join("libloopbackodbc.so.debug");
        let found = Ran::of(tool("addr2line").arg("-e").arg(debug).arg(line.split(' ').next().unwrap())).ok().stdout;
        assert_says(&found, &["/loopback-odbc/src/surface/"]);
    }
}

/// The permissions, the checksum and the path of each file below a folder.
fn files(folder: &Path) -> String {
    const FILES: &str =
        r#"find . -type f | while read -r path; do echo "$(stat -c %a "$path") $(sha256sum "$path")"; done"#;
    Ran::of(Command::new("bash").args(["-euo", "pipefail", "-c", FILES]).current_dir(folder)).ok().stdout
}

/// The files whose contents differ between the architectures. There are the same files with the same permissions, if `*` stands for the
/// architecture in a path, and the library is that of the archive.
#[track_caller]
fn different(listed: impl Fn(&str, &str) -> String) -> Vec<String> {
    let [one, other] = ARCHITECTURES.map(|(architecture, debian)| {
        let archive = unpacked(&format!("linux-{architecture}.tar.gz"));
        let library = Ran::of(Command::new("sha256sum").arg(archive.path().join("libloopbackodbc.so"))).ok().stdout;
        let listed = listed(architecture, debian).replace(&format!("/{architecture}-linux-gnu/"), "/*/");
        assert_says(&listed, &[library.split(' ').next().unwrap()]);
        let parts = listed.lines().map(|line| line.splitn(3, ' ').map(|part| part.trim().to_owned()));
        parts
            .map(|mut parts| {
                let [permissions, sum, path] = [(); 3].map(|()| parts.next().unwrap());
                ((path, permissions), sum)
            })
            .collect::<BTreeMap<_, _>>()
    });
    assert!(one.keys().eq(other.keys()), "{one:#?}\n{other:#?}");
    one.into_iter().filter(|(file, sum)| other[file] != *sum).map(|((path, _), _)| path).collect()
}

#[test]
fn the_files_for_aarch64_are_those_for_x86_64_with_other_machine_code() {
    let of_archive = different(|architecture, _| files(unpacked(&format!("linux-{architecture}.tar.gz")).path()));
    assert_eq!(of_archive, ["./libloopbackodbc.so", "./loopback-odbc"]);

    let of_deb = different(|_, debian| {
        let (folder, package) = (tempfile::tempdir().unwrap(), file(&release(), &format!("_{debian}.deb")));
        Ran::of(Command::new("dpkg-deb").args(["--raw-extract", &package]).arg(folder.path())).ok();
        let control = fs::read_to_string(folder.path().join("DEBIAN/control")).unwrap();
        assert_says(&control, &[&format!("\nArchitecture: {debian}\n")]);
        files(folder.path())
    });
    let expected = ["DEBIAN/control", "DEBIAN/md5sums", "usr/bin/loopback-odbc", "usr/lib/*/odbc/libloopbackodbc.so"];
    let mut paths: Vec<String> = expected.iter().map(|path| format!("./{path}")).collect();
    paths.push("./usr/lib/loopback-odbc/package".to_owned());
    assert_eq!(of_deb, paths);

    let root = Root::new("trixie");
    let of_rpm = different(|architecture, _| {
        let package = file(&release(), &format!(".{architecture}.rpm"));
        let query =
            |format: &str| root.sh(&format!("rpm --query --package --queryformat '{format}' {package}")).ok().stdout;
        assert_eq!(query("%{ARCH}"), architecture);
        query("[%{FILEMODES:octal} %{FILEDIGESTS} %{FILENAMES}\\n]")
    });
    assert_eq!(of_rpm, ["/usr/bin/loopback-odbc", "/usr/lib64/libloopbackodbc.so"]);

    let of_wheel = different(|architecture, _| {
        let (folder, wheel) =
            (tempfile::tempdir().unwrap(), file(&release(), &format!("manylinux2014_{architecture}.whl")));
        Ran::of(Command::new(part("PYTHON")).args(["-m", "zipfile", "-e", &wheel]).arg(folder.path())).ok();
        files(folder.path())
    });
    let names: Vec<&str> = of_wheel.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["RECORD", "WHEEL", "libloopbackodbc.so", "loopback-odbc"]);
}

#[test]
fn the_bill_of_materials_and_the_licences_name_what_is_linked_in() {
    let folder = unpacked("linux-x86_64.tar.gz");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (bill, licences) = (read("loopback-odbc.cdx.json"), read("THIRD-PARTY-LICENSES.md"));
    assert_says(&bill, &["\"bomFormat\": \"CycloneDX\"", &format!("\"version\": \"{VERSION}\"")]);
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-pc-windows-gnu"] {
        let tree = [
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p}",
            "--target",
            target,
        ];
        let mut cargo = Command::new("cargo");
        let tree = Ran::of(cargo.args(tree).args(["-p", "loopback-odbc-program"]).current_dir(project(""))).ok().stdout;
        let packages: BTreeSet<&str> = tree.lines().filter(|line| !line.contains('/') && !line.is_empty()).collect();
        assert!(packages.len() > 20, "{tree}");
        for package in packages {
            let (name, version) = package.trim_end_matches(" (proc-macro)").split_once(" v").unwrap();
            assert_says(&bill, &[&format!("pkg:cargo/{name}@{version}")]);
            if !package.ends_with("(proc-macro)") {
                assert!(licences.contains(&format!("{name} {version}")), "{name} {version}: scripts/licences");
            }
        }
    }
    assert!(!bill.contains("pkg:cargo/rsa@"));
}

#[test]
fn the_packages_follow_the_rules_of_debian_and_rpm() {
    let root = Root::new("trixie");
    for (architecture, debian) in ARCHITECTURES {
        let deb = file(&release(), &format!("_{debian}.deb"));
        let said = root.sh(&format!("lintian --fail-on error --tag-display-limit 0 {deb} 2>&1"));
        println!("{}", said.stdout);
        assert_eq!(said.status, 0, "{}", said.stdout);
        let (rules, rpm) = (project("packaging/rpmlint.toml"), file(&release(), &format!(".{architecture}.rpm")));
        let said = root.sh(&format!("rpmlint --config {} {rpm} 2>&1", rules.display()));
        println!("{}", said.stdout);
        assert!(said.stdout.contains(" 0 errors"), "{}", said.stdout);
    }
}

#[test]
fn the_program_says_its_version_and_commit() {
    let folder = unpacked("linux-x86_64.tar.gz");
    let said = Ran::of(Command::new(folder.path().join("loopback-odbc")).arg("--version")).ok().stdout;
    let commit = std::env::var("LOOPBACK_ODBC_COMMIT").unwrap();
    let commit = if commit.is_empty() { commit } else { format!(" ({commit})") };
    assert_eq!(said, format!("loopback-odbc {VERSION}{commit}\n"));
}

// --- .deb ---

/// Install, connect, upgrade, remove, purge, again.
fn a_deb_is_installed_upgraded_and_removed(suite: &str) {
    let root = Root::prepared(suite);
    let before = root.everything();
    root.apt(&format!("install {}", deb(&older())));
    assert_says(&root.sh("loopback-odbc --version").ok().stdout, &["loopback-odbc 0.1.0"]);
    assert_eq!(root.read(DATA_SOURCES), format!("{OTHERS}\n[Loopback]\nDriver=SQL Server Loopback\n"));
    assert_says(&root.read(DRIVERS), &["[SQL Server Loopback]\n", &format!("Driver={LIBRARY}\n")]);

    // What an administrator has changed stays.
    root.write(DATA_SOURCES, &root.read(DATA_SOURCES).replace("Loopback\n", "Loopback\nDatabase=Sales\n"));
    let named = root
        .read(DRIVERS)
        .replace(&format!("Driver={LIBRARY}\n"), &format!("Driver={LIBRARY}\nTargetDriver={}\n", target()));
    root.write(DRIVERS, &named);
    let kept = [DRIVERS, DATA_SOURCES].map(|path| root.read(path));
    let said = root.apt(&format!("install {}", deb(&release())));
    assert_says(&said, &[&format!("loopback-odbc ({VERSION}-1) over (0.1.0-1)")]);
    assert_eq!([DRIVERS, DATA_SOURCES].map(|path| root.read(path)), kept);
    assert_says(&root.sh("loopback-odbc --version").ok().stdout, &[&format!("loopback-odbc {VERSION}")]);
    let doctor = root.sh("loopback-odbc doctor --installation");
    assert_eq!(doctor.status, 0, "{}", doctor.stdout);
    root.connects(LIBRARY);
    assert_eq!(root.sh("dpkg --verify loopback-odbc").ok().stdout, "");
    root.apt(&format!("install --reinstall {}", deb(&release())));
    assert_eq!([DRIVERS, DATA_SOURCES].map(|path| root.read(path)), kept);

    // Twice, and half-done: a package that was unpacked and not configured.
    root.sh("set -e; /var/lib/dpkg/info/loopback-odbc.postinst configure; /var/lib/dpkg/info/loopback-odbc.postinst configure").ok();
    assert_eq!([DRIVERS, DATA_SOURCES].map(|path| root.read(path)), kept);
    root.sh(&format!("dpkg --unpack {} && dpkg --configure -a", deb(&release()))).ok();
    root.write(DATA_SOURCES, &root.read(DATA_SOURCES).replace("Database=Sales\n", ""));
    root.apt("remove loopback-odbc");
    root.is_as(&before);
    root.apt(&format!("install {}", deb(&release())));
    root.connects(LIBRARY);
    root.apt("purge loopback-odbc");
    root.is_as(&before);
}

#[test]
fn debian_11_installs_upgrades_and_removes_it() {
    a_deb_is_installed_upgraded_and_removed("bullseye");
}

#[test]
fn debian_12_installs_upgrades_and_removes_it() {
    a_deb_is_installed_upgraded_and_removed("bookworm");
}

#[test]
fn debian_13_installs_upgrades_and_removes_it() {
    a_deb_is_installed_upgraded_and_removed("trixie");
}

#[test]
fn one_command_installs_it_with_the_driver_manager() {
    let root = Root::new("bookworm");
    let before = root.sh("dpkg-query -W unixodbc");
    assert_ne!(before.status, 0);
    let said = root.apt(&format!("install {}", deb(&release())));
    assert_says(&said, &["Setting up unixodbc", "no Microsoft ODBC driver for SQL Server is registered"]);
    assert_says(&root.read(DATA_SOURCES), &["[Loopback]\nDriver=SQL Server Loopback\n"]);
}

/// The examples of the README, as SQL Server runs them, on the installed package.
fn scripts_of_sql_server_connect(suite: &str) {
    let root = Root::prepared(suite);
    root.apt(&format!("install {}", deb(&release())));
    for (program, script) in [("/usr/bin/python3", "loopback.py"), ("/usr/bin/Rscript", "loopback.R")] {
        let mut command = root.command(project("scripts/satellite"));
        let seed = format!("Sales={}", project("examples/sales.sql").display());
        command.env("STANDIN", part("STANDIN")).env("LOOPBACK_ODBC_LIBRARY", LIBRARY);
        command.args([
            "--seed",
            &seed,
            "--env",
            "ODBCSYSINI=/etc",
            "--env",
            "PYTHONPATH=",
            "--env",
            "LD_LIBRARY_PATH=",
        ]);
        command.arg("--script").arg(project(&format!("examples/{script}"))).args(["--", program, script]);
        let said = Ran::of(&mut command).ok().stdout;
        assert_says(&said, &["12"]);
    }
}

#[test]
fn scripts_of_sql_server_connect_on_debian_12() {
    scripts_of_sql_server_connect("bookworm");
}

#[test]
fn scripts_of_sql_server_connect_on_debian_13() {
    scripts_of_sql_server_connect("trixie");
}

#[test]
fn the_package_replaces_an_installation_without_one() {
    let root = Root::prepared("bookworm");
    let before = root.everything();
    let archive = file(&older(), "linux-x86_64.tar.gz");
    root.sh(&format!(
        "set -e; mkdir /opt/old; tar -xzf {archive} --strip-components=1 -C /opt/old; /opt/old/loopback-odbc install; \
         cp /opt/old/libloopbackodbc.so /usr/lib/loopback-odbc; echo /usr/lib/loopback-odbc >/usr/lib/loopback-odbc/folders"
    ))
    .ok();
    let said = root.apt(&format!("install {}", deb(&release())));
    assert_says(&said, &["this package replaces the copy that was installed without a package"]);
    assert_eq!(root.sh("ls -A /usr/lib/loopback-odbc").ok().stdout, "package\n");
    assert_eq!(root.sh("grep -c -i loopbackodbc.so /etc/odbcinst.ini").ok().stdout, "1\n");
    assert_says(&root.sh("test ! -L /usr/bin/loopback-odbc && loopback-odbc --version").ok().stdout, &[VERSION]);
    root.connects(LIBRARY);
    // Nor does the package let itself be replaced or removed by the program.
    let refused = root.sh("loopback-odbc install --library /opt/old/libloopbackodbc.so");
    assert_eq!(refused.status, 2);
    refused.says(&["belongs to the package loopback-odbc", "Fix: upgrade the package"]);
    root.sh("loopback-odbc uninstall").ok().says(&[&format!("{LIBRARY}: stays: its package removes it")]);
    root.sh("loopback-odbc install").ok().says(&[&format!("{LIBRARY}: in place, from its package")]);
    root.apt("purge loopback-odbc");
    root.is_as(&before);
}

#[test]
fn the_files_of_others_survive_in_each_form() {
    let root = Root::prepared("bookworm");
    for contents in
        [OTHERS.replace('\n', "\r\n"), OTHERS.trim_end().to_owned(), "# only a comment".to_owned(), String::new()]
    {
        root.write(DATA_SOURCES, &contents);
        root.apt(&format!("install {}", deb(&release())));
        root.connects(LIBRARY);
        root.apt("purge loopback-odbc");
        assert_eq!(root.read(DATA_SOURCES), contents);
    }
}

#[test]
fn a_purge_removes_a_login_and_nothing_else() {
    let root = Root::prepared("bookworm");
    root.apt(&format!("install {}", deb(&release())));
    let login = "[Loopback]\nDriver=SQL Server Loopback\nUID=me\nPWD=secret\n\n; Of the next\n[Last]\nDriver=x\n";
    root.write(DATA_SOURCES, &format!("{OTHERS}\n{login}"));
    root.write(DATA_SOURCES, &format!("{}[Second]\nDriver=SQL Server Loopback\n", root.read(DATA_SOURCES)));
    let said = root.apt("remove loopback-odbc");
    assert_says(&said, &["[Second] of /etc/odbc.ini uses the driver that is removed"]);
    assert!(!root.read(DRIVERS).contains("Loopback"), "{}", root.read(DRIVERS));
    assert_says(&root.read(DATA_SOURCES), &["[Loopback]\nUID=me\nPWD=secret\n"]);
    root.apt("purge loopback-odbc");
    let second = "[Second]\nDriver=SQL Server Loopback\n";
    assert_eq!(root.read(DATA_SOURCES), format!("{OTHERS}\n\n; Of the next\n[Last]\nDriver=x\n{second}"));

    // In Windows' form, without a last newline, and readable by its owner alone.
    root.apt(&format!("install {}", deb(&release())));
    root.apt("remove loopback-odbc");
    root.write(DATA_SOURCES, "[a]\r\nx=1\r\n[LOOPBACK]\r\nDriver=\r\nPWD=secret\r\n[b]\r\nDriver=y");
    root.sh("chmod 600 /etc/odbc.ini; chown 7:8 /etc/odbc.ini").ok();
    root.apt("purge loopback-odbc");
    assert_eq!(root.read(DATA_SOURCES), "[a]\r\nx=1\r\n[b]\r\nDriver=y");
    assert_eq!(
        root.sh("stat -c '%a %u:%g' /etc/odbc.ini; ls /etc/odbc*").ok().stdout,
        "600 7:8\n/etc/odbc.ini\n/etc/odbcinst.ini\n"
    );
}

#[test]
fn the_package_installs_despite_obstacles_and_names_them() {
    // A driver of this name that is somebody else's.
    let root = Root::prepared("bookworm");
    root.write(DRIVERS, "[SQL Server Loopback]\nDriver=/usr/lib/other.so\n");
    let said = root.apt(&format!("install {}", deb(&release())));
    assert_says(&said, &["is another driver (/usr/lib/other.so)", "sudo /usr/bin/loopback-odbc install"]);
    assert_eq!(root.read(DRIVERS), "[SQL Server Loopback]\nDriver=/usr/lib/other.so\n");
    assert_eq!(root.sh("dpkg-query -W -f '${Status}' loopback-odbc").ok().stdout, "install ok installed");
    root.apt("purge loopback-odbc");
    assert_eq!(root.read(DRIVERS), "[SQL Server Loopback]\nDriver=/usr/lib/other.so\n");

    // /etc cannot be written.
    let root = Root::prepared("bookworm");
    let said = root
        .sh(&format!("mount --bind /etc /etc && mount -o remount,bind,ro /etc && dpkg -i {} 2>&1", deb(&release())));
    assert_says(&said.stdout, &["/etc/odbc", "cannot be written", "sudo /usr/bin/loopback-odbc install"]);
    root.sh("umount /etc && loopback-odbc install").ok();
    root.connects(LIBRARY);
}

#[test]
fn a_full_disk_fails_the_installation_and_a_retry_succeeds() {
    let root = Root::prepared("bookworm");
    root.sh("dd if=/dev/zero of=/var/full bs=64k >/dev/null 2>&1; true");
    let said = root.sh(&format!("dpkg -i {} 2>&1", deb(&release())));
    assert_ne!(said.status, 0);
    assert_says(&said.stdout, &["No space left on device"]);
    root.sh("rm /var/full").ok();
    root.sh(&format!("dpkg -i {}", deb(&release()))).ok();
    root.connects(LIBRARY);
}

// --- .rpm ---

#[test]
fn rpm_installs_verifies_upgrades_and_removes_it() {
    let root = Root::prepared("trixie");
    let (old, new) = (rpm(&older()), rpm(&release()));
    root.sh("rpm --initdb").ok();
    let missing = root.sh(&format!("rpm -i {new} 2>&1"));
    assert_ne!(missing.status, 0);
    assert_says(&missing.stdout, &["libodbcinst.so.2()(64bit) is needed by loopback-odbc"]);
    // The distribution's own packages are not in rpm's database.
    let before = root.everything();
    root.sh(&format!("rpm -i --nodeps {old}")).ok();
    const PLACE: &str = "/usr/lib64/libloopbackodbc.so";
    assert_says(&root.read(DRIVERS), &[&format!("Driver={PLACE}\n")]);
    root.write(DATA_SOURCES, &root.read(DATA_SOURCES).replace("Loopback\n", "Loopback\nDatabase=Sales\n"));
    let kept = [DRIVERS, DATA_SOURCES].map(|path| root.read(path));
    root.sh(&format!("rpm -U --nodeps {new}")).ok();
    assert_eq!([DRIVERS, DATA_SOURCES].map(|path| root.read(path)), kept);
    assert_eq!(root.sh("rpm -V --nodeps loopback-odbc").ok().stdout, "");
    assert_says(&root.sh("loopback-odbc --version").ok().stdout, &[VERSION]);
    root.connects(PLACE);
    root.write(DATA_SOURCES, &root.read(DATA_SOURCES).replace("Database=Sales\n", ""));
    root.sh("rpm -e loopback-odbc").ok();
    root.is_as(&before);
}

/// A package that stands for unixODBC's in rpm's database.
fn unixodbc_for_rpm(folder: &Path) -> String {
    let description = "name: unixODBC\narch: amd64\nversion: 2.3.11\nmaintainer: x <x@example.com>\ndescription: stands for unixODBC\n\
                       provides: ['libodbcinst.so.2()(64bit)', 'libc.so.6(GLIBC_2.17)(64bit)']\n";
    fs::write(folder.join("nfpm.yaml"), description).unwrap();
    let mut nfpm = Command::new(project("build/dist/tools/bin/nfpm"));
    nfpm.args(["package", "--packager", "rpm", "--config"]).arg(folder.join("nfpm.yaml")).arg("--target").arg(folder);
    Ran::of(&mut nfpm).ok();
    file(folder, ".rpm")
}

#[test]
fn dnf_installs_it_with_what_it_requires_and_removes_it() {
    let root = Root::prepared("trixie");
    // In the project's folder, which the root shows.
    let folder = tempfile::tempdir_in(part("DIST_WORK")).unwrap();
    let dnf = "dnf -y --releasever=1 --setopt=reposdir=/nowhere --nogpgcheck";
    let (required, ours) = (unixodbc_for_rpm(folder.path()), rpm(&release()));
    let alone = root.sh(&format!("{dnf} install {ours} 2>&1"));
    assert_ne!(alone.status, 0);
    assert_says(&alone.stdout, &["nothing provides libodbcinst.so.2()(64bit)"]);
    root.sh(&format!("{dnf} install {required}")).ok();
    let files = [DRIVERS, DATA_SOURCES].map(|path| root.read(path));
    root.sh(&format!("{dnf} install {ours}")).ok().says(&["[Loopback] added: Driver=SQL Server Loopback"]);
    assert_says(&root.sh("loopback-odbc doctor --installation").ok().stdout, &["0 failures, 0 warnings"]);
    root.sh(&format!("{dnf} remove loopback-odbc")).ok();
    assert_eq!([DRIVERS, DATA_SOURCES].map(|path| root.read(path)), files);
}

// --- tar.gz ---

#[test]
fn the_archive_installs_on_the_oldest_libc() {
    let root = Root::prepared("bullseye");
    let before = root.everything();
    let archive = file(&release(), "linux-x86_64.tar.gz");
    root.sh(&format!(
        "mkdir /opt/new && tar -xzf {archive} --strip-components=1 -C /opt/new && /opt/new/loopback-odbc install"
    ))
    .ok();
    root.connects(LIBRARY);
    let doctor = root.sh("loopback-odbc doctor --installation");
    assert_eq!(doctor.status, 0, "{}", doctor.stdout);
    root.sh("loopback-odbc uninstall").ok();
    root.is_as(&before);
}

// --- AArch64 ---

/// The scripts of the package are those of x86-64, which do not run here: nothing in this root can start another program.
#[test]
fn debian_12_on_aarch64_registers_it_and_connects() {
    const QEMU: &str = "/usr/bin/qemu-aarch64-static";
    let driver = part("DIST_ROOTS").join("arm64/opt/python/mssql_python_odbc/libs/linux/debian_ubuntu/arm64");
    let root = Root::of("arm64", &driver, Some(QEMU));
    let run = |arguments: &[&str]| {
        let mut command = root.holder.enter();
        Ran::of(command.args([QEMU, "/usr/bin/loopback-odbc"]).args(arguments).env_clear().env("HOME", "/root"))
    };
    root.holder.prepare(&target());
    let package = file(&release(), "_arm64.deb");
    Ran::of(Command::new("dpkg-deb").args(["--extract", &package]).arg(root.holder.path("/"))).ok();
    run(&["install"]).ok().says(&["/usr/lib/aarch64-linux-gnu/odbc/libloopbackodbc.so: in place, from its package"]);
    run(&["doctor", "--installation"]).ok().says(&["It exports all 65 functions", "0 failures, 0 warnings"]);
    let server = Server::start();
    root.write(DATA_SOURCES, &(root.read(DATA_SOURCES) + &server.section()));
    run(&["doctor", "--connect"]).ok().says(&["Connected as developer to master"]);
}

// --- The Python package ---

/// The wheel in a virtual environment of a root, in a folder that scripts of SQL Server see.
fn environment(root: &Root) -> String {
    let environment = "/opt/microsoft/environment";
    let wheel = file(&release(), "manylinux2014_x86_64.whl");
    root.sh(&format!(
        "mkdir -p /opt/microsoft && python3 -m venv --system-site-packages {environment} && \
         {environment}/bin/python -m pip install --no-index --disable-pip-version-check {wheel}"
    ))
    .ok();
    environment.to_owned()
}

/// What a Python and its package do without a session: the program, and one class for every error.
fn a_python_has_the_program_and_one_class_of_errors(suite: &str) {
    let root = Root::prepared(suite);
    let bin = environment(&root) + "/bin";
    assert_says(&root.sh(&format!("{bin}/loopback-odbc --version")).ok().stdout, &[VERSION]);
    let said = root.sh(&format!("{bin}/python -m loopback_odbc doctor --installation"));
    assert_eq!(said.status, 2);
    assert_says(&said.stdout, &["There is no data source [Loopback]"]);
    const ERRORS: &str = r"
import loopback_odbc, sys
print(loopback_odbc.library(), loopback_odbc.version())
for arguments in [(), ('Sales',), (1,), (b'x',), ('a\0b',), ('\ud800',), ('a;b{c}\'\U0001F600',), ('x', 'PostgreSQL'), ([],), (float('nan'),)]:
    for function in [loopback_odbc.connection_string, loopback_odbc.rx_get_sql_loopback_connection_string]:
        try:
            print(function(*arguments))
        except loopback_odbc.Error as error:
            assert str(error).startswith('[' + error.sqlstate + '] ') and error.text, error
            print(error.sqlstate, end=' ')
print()
assert len(loopback_odbc.report().splitlines()) > 1
";
    let said = Ran::of(root.command(format!("{bin}/python")).args(["-c", ERRORS])).ok().stdout;
    let states = "08001 08001 08001 08001 HY009 HY009 HY009 HY009 HY009 HY009 HY009 HY009 08001 08001 HY024 HY024 HY009 HY009 HY009 HY009";
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert!(lines[0].ends_with(&format!("loopback_odbc/libloopbackodbc.so {VERSION}")), "{said}");
    assert_eq!(lines[1], states);
    // `install` copies the library of the package, and from then on it is the registered one that is asked.
    root.sh(&format!("{bin}/loopback-odbc install")).ok();
    root.connects(LIBRARY);
    let said =
        Ran::of(root.command(format!("{bin}/python")).args(["-c", "import loopback_odbc as it; print(it.library())"]));
    assert_eq!(said.ok().stdout, format!("{LIBRARY}\n"));
    // None that can be loaded: a clear error.
    for spoil in ["echo nothing >", "rm"] {
        root.sh(&format!("loopback-odbc uninstall >/dev/null; {spoil} {bin}/../lib/python3*/site-packages/loopback_odbc/libloopbackodbc.so")).ok();
        let code = "import loopback_odbc as it\ntry:\n    it.report()\nexcept it.Error as error:\n    print(error)";
        let said = Ran::of(root.command(format!("{bin}/python")).args(["-c", code])).ok().stdout;
        assert!(
            said.starts_with("[IM003] The library cannot be loaded: ")
                || said.starts_with("[IM003] No library is registered"),
            "{said}"
        );
    }
}

#[test]
fn the_python_package_type_checks_and_parses_as_python_3_7() {
    let package = project("python/loopback_odbc");
    for platform in ["linux", "win32"] {
        let mut mypy = Command::new(project("build/dist/tools/bin/python"));
        mypy.args(["-m", "mypy", "--strict", "--cache-dir=/dev/null", "--platform", platform]).arg(&package);
        Ran::of(&mut mypy).ok().says(&["Success: no issues found in 2 source files"]);
    }
    let parse = "import ast, sys\nfor file in sys.argv[1:]:\n    ast.parse(open(file).read(), feature_version=(3, 7))";
    let files = ["__init__.py", "__main__.py"].map(|name| package.join(name));
    Ran::of(Command::new(part("PYTHON")).args(["-c", parse]).args(files)).ok();
}

#[test]
fn python_3_9_has_the_program_and_one_class_of_errors() {
    a_python_has_the_program_and_one_class_of_errors("bullseye");
}

#[test]
fn python_3_13_has_the_program_and_one_class_of_errors() {
    a_python_has_the_program_and_one_class_of_errors("trixie");
}

/// Runs an example in a session, in a root of Debian 12 with pandas, the wheel and the R package.
fn example(prepare: &str, program: &str, script: &str) -> String {
    let root = Root::prepared("bookworm");
    environment(&root);
    root.sh(prepare).ok();
    let mut command = root.command(project("scripts/satellite"));
    let seed = format!("Sales={}", project("examples/sales.sql").display());
    // The package's own library: nothing is registered but Microsoft's driver.
    command.env("STANDIN", part("STANDIN")).env("LOOPBACK_ODBC_LIBRARY", part("DIST_LIBRARY"));
    let stage = "/opt/mssql-extensibility/stage";
    let packages = format!("PYTHONPATH={stage}/clients/python:{stage}/python");
    command.args(["--seed", &seed, "--env", "ODBCSYSINI=/etc", "--env", &packages, "--env", "LD_LIBRARY_PATH="]);
    command.arg("--script").arg(project(&format!("examples/{script}"))).args(["--", program, script]);
    Ran::of(&mut command).ok().stdout
}

#[test]
fn the_example_of_revoscalepy_runs_in_a_session() {
    let said = example("true", "/opt/microsoft/environment/bin/python", "rx_loopback.py");
    assert_says(&said, &["OrderID", "3 regions"]);
}

#[test]
fn the_example_of_revoscaler_runs_in_a_session() {
    let package = file(&release(), &format!("loopbackodbc_{VERSION}.tar.gz"));
    let said = example(
        &format!("R CMD INSTALL --library=/usr/lib/R/site-library {package}"),
        "/usr/bin/Rscript",
        "rx_loopback.R",
    );
    assert_says(&said, &["OrderID", "3 regions"]);
}

// --- The R package ---

#[test]
fn the_r_package_passes_r_s_own_checks() {
    let root = Root::prepared("bookworm");
    let package = file(&release(), &format!("loopbackodbc_{VERSION}.tar.gz"));
    let check =
        "cd /tmp && _R_CHECK_CRAN_INCOMING_=false _R_CHECK_FORCE_SUGGESTS_=true R CMD check --as-cran --no-manual";
    let said = root.sh(&format!("{check} {package} 2>&1; cat /tmp/loopbackodbc.Rcheck/tests/testthat.Rout*"));
    println!("{}", said.stdout);
    assert!(!said.stdout.contains("ERROR") && !said.stdout.contains("WARNING"), "{}", said.stdout);
    assert_says(&said.stdout, &["[ FAIL 0 | WARN 0 | SKIP 0 | PASS ", "Status: "]);
}

// --- Windows ---

/// A program under Wine, in the drive that the Windows tests use.
fn wine(arguments: &[&str]) -> Ran {
    Ran::of(Command::new(project("scripts/windows/wine")).args(arguments))
}

/// A path of this machine, as programs under Wine see it.
fn on_drive_z(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}

/// The folder of the program, as this machine sees it.
fn windows_folder() -> PathBuf {
    project("build/windows/prefix/drive_c/Program Files/loopback-odbc")
}

/// The registrations of drivers and data sources, and the files of the program.
fn windows_state(folder: &Path) -> Vec<String> {
    let file = folder.join("registry.reg");
    let _ = fs::remove_file(&file);
    wine(&["reg", "export", r"HKLM\Software\ODBC", &on_drive_z(&file), "/y"]).ok();
    let exported: Vec<u16> =
        fs::read(&file).unwrap().chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut state: Vec<String> = String::from_utf16_lossy(&exported).lines().map(str::to_owned).collect();
    assert!(state.len() > 5, "{state:?}");
    let entries = fs::read_dir(windows_folder())
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    state.extend(entries.collect::<BTreeSet<String>>());
    state
}

#[test]
fn the_msi_registers_upgrades_and_unregisters() {
    // In the project's folder, which Wine sees.
    let folder = tempfile::tempdir_in(part("DIST_WORK")).unwrap();
    let [old, new] = [older(), release()].map(|release| on_drive_z(Path::new(&file(&release, ".msi"))));
    wine(&["msiexec", "/x", &new, "/qn"]);
    // What other tests have registered, and what one that failed has left.
    for key in [r"HKLM\Software\Microsoft\Windows\CurrentVersion\Installer", r"HKLM\Software\Classes\Installer"] {
        wine(&["reg", "delete", key, "/f"]);
    }
    let _ = fs::remove_dir_all(windows_folder());
    // Each Windows has these keys. Wine has them when the first driver and the first data source are registered.
    for key in [r"ODBCINST.INI\ODBC Drivers", r"ODBC.INI\ODBC Data Sources"] {
        wine(&["reg", "add", &format!(r"HKLM\Software\ODBC\{key}"), "/f"]).ok();
    }
    for key in [r"ODBCINST.INI\SQL Server Loopback", r"ODBC.INI\Loopback"] {
        wine(&["reg", "delete", &format!(r"HKLM\Software\ODBC\{key}"), "/f"]);
    }
    for (key, value) in
        [(r"ODBCINST.INI\ODBC Drivers", "SQL Server Loopback"), (r"ODBC.INI\ODBC Data Sources", "Loopback")]
    {
        wine(&["reg", "delete", &format!(r"HKLM\Software\ODBC\{key}"), "/v", value, "/f"]);
    }
    let before = windows_state(folder.path());
    assert!(!before.concat().contains("loopbackodbc.dll"), "{before:#?}");

    wine(&["msiexec", "/i", &old, "/qn"]).ok();
    let installed = windows_state(folder.path()).join("\n");
    assert_says(
        &installed,
        &[r"[HKEY_LOCAL_MACHINE\Software\ODBC\ODBCINST.INI\SQL Server Loopback]", r"ODBC.INI\Loopback]"],
    );
    assert_says(&installed, &[r"C:\\Program Files\\loopback-odbc\\loopbackodbc.dll", "loopback-odbc.exe"]);
    wine(&["reg", "add", r"HKLM\Software\ODBC\ODBC.INI\Loopback", "/v", "Database", "/d", "Sales", "/f"]).ok();
    // Windows tells the older version that it is upgraded. Wine does not when the new one removes it, so this is done here.
    wine(&["msiexec", "/x", &old, "UPGRADINGPRODUCTCODE={6D2A41F0-6D5B-4C7E-9B0E-000000000000}", "/qn"]).ok();
    wine(&["msiexec", "/i", &new, "/qn"]).ok();
    let upgraded = windows_state(folder.path()).join("\n");
    assert_says(&upgraded, &["\"Database\"=\"Sales\"", r"ODBCINST.INI\SQL Server Loopback]", "loopback-odbc.exe"]);
    let said = wine(&[r"C:\Program Files\loopback-odbc\loopback-odbc.exe", "install", "--dry-run"]);
    said.says(&["loopbackodbc.dll: in place, from its package", "[Loopback] is up to date"]);

    wine(&["msiexec", "/x", &new, "/qn"]).ok();
    assert_eq!(windows_state(folder.path()), before);

    // An upgrade in one step.
    wine(&["msiexec", "/i", &old, "/qn"]).ok();
    wine(&["msiexec", "/i", &new, "/qn"]).ok();
    let upgraded = windows_state(folder.path()).join("\n");
    assert_says(&upgraded, &[r"ODBCINST.INI\SQL Server Loopback]", r"ODBC.INI\Loopback]", "loopback-odbc.exe"]);
    wine(&["msiexec", "/x", &new, "/qn"]).ok();
    assert_eq!(windows_state(folder.path()), before);
}
