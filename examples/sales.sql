-- The tables that loopback.py and loopback.R use. Run it once in an empty database Sales:
--     sqlcmd -S SERVER -U USER -d Sales -i examples/sales.sql
-- Without SQL Server, `make demo` fills a stand-in with it.
CREATE TABLE dbo.Orders (
    OrderID   int            NOT NULL PRIMARY KEY,
    OrderDate date           NOT NULL,
    Region    nvarchar(30)   NOT NULL,
    Customer  nvarchar(60)   NULL,
    Amount    decimal(10, 2) NULL -- unknown until the order is invoiced
);

INSERT INTO dbo.Orders (OrderID, OrderDate, Region, Customer, Amount) VALUES
    (1,  '2026-07-03', N'Île-de-France', N'Boulangerie Noël',  1200.00),
    (2,  '2026-07-19', N'Île-de-France', N'Café Olé',           350.50),
    (3,  '2026-07-28', N'København',     N'Bjørn & Sønner',    4100.25),
    (4,  '2026-08-02', N'Île-de-France', N'Boulangerie Noël',  1310.00),
    (5,  '2026-08-14', N'København',     N'Æbleskiver A/S',     980.00),
    (6,  '2026-08-21', N'大阪',           N'山田商店',            7650.00),
    (7,  '2026-09-01', N'København',     N'Bjørn & Sønner',    4220.75),
    (8,  '2026-09-09', N'大阪',           N'山田商店',            8010.00),
    (9,  '2026-09-17', N'Île-de-France', N'Café Olé',           410.00),
    (10, '2026-09-25', N'大阪',           NULL,                  99.90),
    (11, '2026-09-29', N'København',     N'Æbleskiver A/S',      NULL),
    (12, '2026-09-30', N'Île-de-France', N'Boulangerie Noël',  1425.00);

CREATE TABLE dbo.Forecast (
    Region   nvarchar(30)   NOT NULL PRIMARY KEY,
    Basis    int            NOT NULL, -- the number of orders it was made from
    Expected decimal(10, 2) NOT NULL
);
