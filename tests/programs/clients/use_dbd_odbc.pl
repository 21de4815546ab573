# Perl's DBD::ODBC: use_dbd_odbc.pl DSN
use strict;
use warnings;
use DBI;
use DBD::ODBC;

print "client: DBD::ODBC $DBD::ODBC::VERSION with DBI $DBI::VERSION\n";
print "language: Perl ", sprintf('%vd', $^V), "\n";

my ($dsn, $user, $password) = ($ARGV[0], @ENV{"CLIENT_USER", "CLIENT_PASSWORD"});
my $connection = DBI->connect("dbi:ODBC:$dsn", $user, $password, { RaiseError => 1, PrintError => 0 });
$connection->do(<<'SQL');
    CREATE TABLE dbo.Typed (
        id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
        born date, noted datetime2(6), flag bit, data varbinary(20))
SQL
my @rows = (
    [1, '9223372036854775807', '1234567.8901', 0.1, 'Bjørn & Sønner',
     '1815-12-10', '2026-11-22 20:15:01.123456', 1, "\x00\xff\x10"],
    [2, '-9223372036854775808', '-0.0001', -1.5e300, '日本 Ω 😀', '9999-12-31', '0001-01-01 00:00:00', 0, ''],
    [3, (undef) x 8],
);
my $insert = $connection->prepare('INSERT INTO dbo.Typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
$insert->bind_param(9, undef, DBI::SQL_VARBINARY);
$insert->execute(@$_) for @rows;

sub show {
    my ($row) = @_;
    $row->[8] = '0x' . unpack 'H*', $row->[8] if defined $row->[8];
    print join(' | ', map { $_ // 'NULL' } @$row), "\n";
}
show($_) for @{ $connection->selectall_arrayref('SELECT * FROM dbo.Typed ORDER BY id') };
print "found: @{ $connection->selectcol_arrayref('SELECT id FROM dbo.Typed WHERE name = ?', undef, '日本 Ω 😀') }\n";
print "columns: ", join(' ', map { $_->[3] } @{ $connection->column_info(undef, undef, 'Typed', undef)->fetchall_arrayref }), "\n";

eval { $connection->do('SELECT * FROM dbo.Missing') };
print 'error: ', $connection->state, ' ', $connection->errstr, "\n";
$connection->disconnect;
