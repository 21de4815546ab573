-- Tests what docs/discovery.md infers about the surroundings of SQL Server's scripts. You need a real SQL Server with Machine Learning
-- Services, and a user who may run external scripts. Run it in a query window, or with
--     sqlcmd -S SERVER -U USER -i examples/confirm.sql
-- Each line it prints has the number in docs/discovery.md, "yes", "no" or "?", what is expected, and what was found. Compare the lines with
-- the page, or send them in.
-- It changes nothing. It opens connections to the server, on Windows one of them with the caller's login. It shows no key and no password. Of
-- variables it shows the names, and of those that begin with MRS_EXTLIB_ also the paths.
-- Without Python or without R, one of the two calls fails; the other one is enough. If a language has another name on your server (CREATE
-- EXTERNAL LANGUAGE), put that name after @language.

DECLARE @edition int = CAST(SERVERPROPERTY('EngineEdition') AS int);
EXECUTE sp_execute_external_script @language = N'Python', @script = N'
import configparser, getpass, glob, ipaddress, os, platform, re, socket, ssl, struct, sys, time

def line(number, expected, action):
    try:
        found, right = action()
    except Exception as error:
        found, right = "%s: %s" % (type(error).__name__, error), None
    print("%-3s %-3s | expected: %s | found: %s" % (number, {True: "yes", False: "no"}.get(right, "?"), expected, found))

def read(path):
    with open(path, errors="replace") as file:
        return file.read()

def answers(address, port):
    try:
        socket.create_connection((address, port), 3).close()
        return True
    except OSError:
        return False

# --- Linux ---

CERTIFICATE, KEY = "sqlsatellitecert.pem", "sqlsatellitekey.pem"
DATA = os.environ.get("LOOPBACK_ODBC_DATA_DIR") or "/var/opt/mssql-extensibility/data"
known = {"folder": None, "server": None}

def pair_above(path):
    while True:
        if all(os.path.exists(os.path.join(path, name)) for name in (CERTIFICATE, KEY)):
            known["folder"] = known["folder"] or path
            return path
        if path == os.path.dirname(path):
            return None
        path = os.path.dirname(path)

def working_directory():
    pair = pair_above(os.getcwd())
    return "%s; pair in %s" % (os.getcwd(), pair), pair is not None and pair.startswith(DATA)

def data_directory():
    folders = [os.path.join(DATA, name) for name in os.listdir(DATA)]
    pairs = [path for path in folders if pair_above(path) == path and os.access(os.path.join(path, KEY), os.R_OK)]
    return "%d readable pairs in %d entries" % (len(pairs), len(folders)), len(pairs) == 1

def command_lines():
    seen, pairs, process = [], set(), "self"
    while process != "0":
        words = read("/proc/%s/cmdline" % process).split("\0")
        seen.append(os.path.basename(words[0]))
        paths = [word[max(word.find("=/") + 1, 0):] for word in words if word.startswith("/") or "=/" in word]
        pairs |= {pair_above(path) for path in paths} - {None}
        process = read("/proc/%s/stat" % process).rsplit(")", 1)[1].split()[1]
    return "%s; pairs: %s" % (" < ".join(seen), sorted(pairs)), len(pairs) == 1

def files():
    said = []
    for name in (CERTIFICATE, KEY):
        path = os.path.join(known["folder"], name)
        about = os.stat(path)
        said.append("%s %o %d:%d" % (read(path).split("\n")[0], about.st_mode & 0o7777, about.st_uid, about.st_gid))
    right = said[0].startswith("-----BEGIN CERTIFICATE-----") and said[1].startswith("-----BEGIN RSA PRIVATE KEY-----")
    return "; ".join(said), right and not about.st_mode & 0o004

def owners():
    import stat
    path, said, others, service = os.path.join(known["folder"], KEY), [], [], []
    while path not in said:
        about = os.stat(path)
        said += [path, "%o %d:%d" % (stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid)]
        if path in ("/", DATA, os.path.dirname(DATA)):
            service.append(about)
        path = os.path.dirname(path)
    users = {0, os.geteuid()} | {it.st_uid for it in service}
    groups = {os.getegid()} | {it.st_gid for it in service if it.st_mode & 0o020}
    for at in range(0, len(said), 2):
        about = os.stat(said[at])
        by_group = about.st_mode & 0o020 and about.st_gid not in groups
        if about.st_uid not in users or about.st_mode & 0o002 or by_group:
            others.append(said[at])
    return "%s; others may write: %s" % (said, others), not others

def certificate():
    about = ssl._ssl._test_decode_cert(os.path.join(known["folder"], CERTIFICATE))
    subject = {name: value for part in about["subject"] for name, value in part}
    begin, end = (ssl.cert_time_to_seconds(about[name]) for name in ("notBefore", "notAfter"))
    found = "%s, %s to %s" % (subject, about["notBefore"], about["notAfter"])
    return found, subject.get("organizationName") == "Microsoft Corporation" and begin <= time.time() <= end

def user():
    import pwd
    names = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == os.getuid()]
    return "%d %s" % (os.getuid(), names), names == ["mssql_satellite"]

def proc():
    return "%s above this one" % read("/proc/self/stat").rsplit(")", 1)[1].split()[1], True

def interfaces():
    names = [name for _, name in socket.if_nameindex()]
    return names, names == ["lo", "eth0"]

def dump(protocol, kind, request):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, protocol) as netlink:
        netlink.settimeout(5)
        netlink.send(struct.pack("=IHHII", 16 + len(request), kind, 0x301, 1, 0) + request)
        while True:
            data = netlink.recv(1 << 16)
            while data:
                length, answer = struct.unpack_from("=IH", data)
                if answer == 2:
                    code = -struct.unpack_from("=i", data, 16)[0]
                    raise OSError(code, os.strerror(code))
                if answer == 3:
                    return
                yield data[16:length]
                data = data[(length + 3) & ~3:]

def one_server(addresses, among):
    peers = sorted(set(address for address in addresses if ipaddress.ip_address(address.split("%")[0]).is_link_local))
    if len(peers) == 1:
        known["server"] = known["server"] or peers[0]
    return "%s of %d %s" % (peers, len(addresses), among), len(peers) == 1

def scoped(packed, index):
    return "%s%%%s" % (ipaddress.ip_address(packed), socket.if_indextoname(index) if index else "")

def connections():
    return dump(4, 20, struct.pack("=BBBBI48x", socket.AF_INET6, 6, 0, 0, 2))

def channel_owner():
    users = {struct.unpack_from("=I", it, 64)[0] for it in connections() if ipaddress.ip_address(it[24:40]).is_link_local}
    return "%s, this one is %d" % (sorted(users), os.geteuid()), bool(users) and users <= {0, os.geteuid()}

def socket_diagnostics():
    messages = connections()
    return one_server([scoped(it[24:40], struct.unpack_from("=I", it, 40)[0]) for it in messages], "connections")

def proc_net():
    rows = [row.split() for row in read("/proc/net/tcp6").split("\n")[1:] if row]
    remote = [row[2].split(":")[0] for row in rows if row[3] == "01"]
    packed = [struct.pack("=4I", *(int(text[at:at + 8], 16) for at in (0, 8, 16, 24))) for text in remote]
    return one_server([str(ipaddress.ip_address(it)) for it in packed], "connections")

def neighbours():
    found = []
    for message in dump(0, 30, struct.pack("=B11x", socket.AF_INET6)):
        index, state = struct.unpack_from("=iH", message, 4)
        at = 12
        while at + 4 <= len(message):
            length, kind = struct.unpack_from("=HH", message, at)
            if kind == 1 and state not in (0, 1, 32) and socket.if_indextoname(index) != "lo":
                found.append(scoped(message[at + 4:at + length], index))
            at += max((length + 3) & ~3, 4)
    return one_server(found, "neighbours")

def gateways():
    rows = [row.split() for row in read("/proc/net/ipv6_route").split("\n") if row]
    rows = [row for row in rows if set(row[0]) == {"0"} and row[1] == "00" and int(row[8], 16) & 2]
    found = ["%s%%%s" % (ipaddress.ip_address(bytes.fromhex(row[4])), row[9]) for row in rows]
    return found, found == [known["server"]]

def ports():
    found = [port for port in (1433, 1431) if answers(known["server"], port)]
    return "%s answers on %s" % (known["server"], found), 1433 in found

def folders():
    def filled(path):
        return os.path.isdir(path) and os.access(path, os.R_OK) and bool(os.listdir(path))
    shown = [path for path in ("/etc", "/usr/bin", "/usr/lib", "/usr/share", "/var/lib") if filled(path)]
    hidden = [path for path in ("/usr/local", "/root", "/srv", "/mnt") if filled(path)]
    hidden += [path for path in glob.glob("/home/*") if path != "/home/mssql_satellite"]
    other = sorted(path for path in glob.glob("/*") + glob.glob("/opt/*") + glob.glob("/home/*") if filled(path))
    return "shown %s, not hidden %s, all: %s" % (shown, hidden, other), len(shown) == 5 and not hidden

def drivers():
    path = os.path.join(os.environ.get("ODBCSYSINI") or "/etc", "odbcinst.ini")
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(read(path))
    found = {name: (parser[name].get("Driver"), os.path.exists(parser[name].get("Driver", ""))) for name in parser.sections()}
    return found, any(re.match("ODBC Driver 1[78] for SQL Server", name) and found[name][1] for name in found)

def environment():
    return sorted(os.environ), any(name.startswith("LOOPBACK_ODBC_") for name in os.environ) or None

def official():
    from revoscalepy import rx_get_sql_loopback_connection_string
    string = rx_get_sql_loopback_connection_string(odbc_driver="ODBC Driver 17 for SQL Server", name_of_database="master")
    return string, bool(known["server"] and known["folder"]) and known["server"] in string and known["folder"] in string

# --- Windows ---

INSTANCE = re.compile(r"(MSSQL\d+\.[^\\/]+|SQL-[^\\/]+-ExtensibilityData|ProgramData[\\/][^\\/]+[\\/]Temp-(PY|R))", re.I)

def paths(texts):
    texts = [text for text in texts if text]
    return texts, any(INSTANCE.search(os.path.realpath(text)) for text in texts)

def windows_command_line():
    import ctypes
    function = ctypes.windll.kernel32.GetCommandLineW
    function.restype = ctypes.c_wchar_p
    return paths(re.split("[\" =,]", function()))

def account():
    name = getpass.getuser()
    return name, bool(re.match(r"MSSQLLaunchpad|.+\d\d$", name, re.I))

def registry(path):
    import winreg
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
        return {name: value for name, value, _ in (winreg.EnumValue(key, at) for at in range(winreg.QueryInfoKey(key)[1]))}

def instances():
    found = registry(r"SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL")
    return found, bool(found)

def windows_drivers():
    found = [name for name in registry(r"SOFTWARE\ODBC\ODBCINST.INI\ODBC Drivers") if "SQL Server" in name]
    return found, "ODBC Driver 11 for SQL Server" in found if edition == 8 else bool(found)

def trusted():
    import pyodbc
    connection = pyodbc.connect("Driver=SQL Server;Server=.;Trusted_Connection=Yes;", timeout=5)
    found = connection.execute("SELECT SUSER_SNAME(), @@SERVICENAME").fetchone()
    return tuple(found), True

if edition == 8:
    line("M1", "Windows", lambda: (platform.platform(), os.name == "nt"))
if os.name == "nt":
    line("W1", "a folder of the instance", lambda: paths(os.environ.get("MRS_EXTLIB_%s_PATH" % it) for it in ("SHARED", "USER")))
    line("W2", "below a folder of the instance", lambda: paths([os.getcwd()]))
    line("W3", "below a folder of the instance", lambda: paths([sys.executable]))
    line("W4", "a path below a folder of the instance", windows_command_line)
    line("W5", "the launchpad or a worker account", account)
    line("W6", "names and ids can be read", instances)
    line("W7", "127.0.0.1:1433 does not answer", lambda: (lambda it: (it, not it))(answers("127.0.0.1", 1433)))
    line("W8", "the login of the caller, by a trusted connection", trusted)
    line("M2" if edition == 8 else "W9", "drivers can be read; on a Managed Instance, 11 among them", windows_drivers)
else:
    line("L1", "a pair here or above, below " + DATA, working_directory)
    line("L2", "1 readable pair in " + DATA, data_directory)
    line("L3", "a path that leads to the pair", command_lines)
    line("L4", "PEM, key in PKCS #1 form and not readable by others", files)
    line("L5", "O=Microsoft Corporation, valid now", certificate)
    line("L6", "mssql_satellite", user)
    line("L7", "/proc is there", proc)
    line("L8", "lo and eth0", interfaces)
    line("L9", "1 link-local peer in socket diagnostics", socket_diagnostics)
    line("L10", "the same in /proc/net/tcp6", proc_net)
    line("L11", "1 link-local neighbour", neighbours)
    line("L12", "1 default route, to the server", gateways)
    line("L13", "1433", ports)
    line("L14", "5 shown, none of the hidden ones", folders)
    line("L15", "ODBC Driver 17 or 18, its file visible", drivers)
    line("L16", "LOOPBACK_ODBC_..., if set for mssql-launchpadd", environment)
    line("L17", "the address and the folder found above", official)
    line("L18", "nobody else may write the key or a folder above it", owners)
    line("L19", "the data channel belongs to this user or to root", channel_owner)
', @params = N'@edition int', @edition = @edition;
GO

-- The same for R, of what may differ from Python.
EXECUTE sp_execute_external_script @language = N'R', @script = N'
line <- function(number, expected, action) {
  result <- tryCatch(action(), error = function(error) list(conditionMessage(error), NA))
  cat(sprintf("%-3s %-3s | expected: %s | found: %s\n", number, if (is.na(result[[2]])) "?" else if (result[[2]]) "yes" else "no",
              expected, paste(result[[1]], collapse = " ")))
}
files <- c("sqlsatellitecert.pem", "sqlsatellitekey.pem")
data <- "/var/opt/mssql-extensibility/data"
pair <- function(path) {
  while (!all(file.exists(file.path(path, files)))) {
    if (path == dirname(path)) return("")
    path <- dirname(path)
  }
  path
}
instance <- "(MSSQL[0-9]+[.]|SQL-.+-ExtensibilityData|ProgramData/.+/Temp-(PY|R))"
paths <- function(texts) list(texts, any(grepl(instance, gsub("\\", "/", normalizePath(texts, mustWork = FALSE), fixed = TRUE))))
if (.Platform$OS.type == "windows") {
  line("W1", "a folder of the instance", function() paths(Sys.getenv(c("MRS_EXTLIB_SHARED_PATH", "MRS_EXTLIB_USER_PATH"))))
  line("W2", "below a folder of the instance", function() paths(getwd()))
  line("W3", "below a folder of the instance", function() paths(R.home()))
  line("W4", "a path below a folder of the instance", function() paths(unlist(strsplit(commandArgs(), "[ =,]"))))
  line("W5", "the launchpad or a worker account", function() {
    user <- Sys.info()[["user"]]
    list(user, grepl("^MSSQLLaunchpad|[0-9]{2}$", user, ignore.case = TRUE))
  })
} else {
  line("L1", paste("a pair here or above, below", data), function() list(c(getwd(), "; pair in", pair(getwd())), startsWith(pair(getwd()), data)))
  line("L2", paste("1 readable pair in", data), function() {
    folders <- list.dirs(data, recursive = FALSE)
    pairs <- Filter(function(path) pair(path) == path && file.access(file.path(path, files[2]), 4) == 0, folders)
    list(paste(length(pairs), "readable pairs in", length(folders), "folders"), length(pairs) == 1)
  })
  line("L3", "a path that leads to the pair", function() {
    words <- strsplit(rawToChar(replace(bytes <- readBin("/proc/self/cmdline", "raw", 1e5), bytes == 0, as.raw(10))), "\n")[[1]]
    pairs <- setdiff(vapply(sub("^[^/]*=", "", grep("^/|=/", words, value = TRUE)), pair, ""), "")
    list(c(basename(words[1]), "; pairs:", pairs), length(pairs) == 1)
  })
  line("L16", "LOOPBACK_ODBC_..., if set for mssql-launchpadd", function() {
    variables <- sort(names(Sys.getenv()))
    list(variables, if (any(startsWith(variables, "LOOPBACK_ODBC_"))) TRUE else NA)
  })
}
';
GO
