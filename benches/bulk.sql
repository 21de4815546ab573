CREATE TABLE Digits (d int NOT NULL);
INSERT INTO Digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
CREATE TABLE Orders (Id int NOT NULL, Customer nvarchar(40) NULL, Amount decimal(12, 2) NULL, Placed datetime2 NULL, Weight float NULL);
INSERT INTO Orders
SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d, N'Æbleskiver A/S', 1234.56, '2026-07-03T12:34:56', 0.25
FROM Digits a CROSS JOIN Digits b CROSS JOIN Digits c CROSS JOIN Digits e CROSS JOIN Digits f CROSS JOIN Digits g;
CREATE TABLE Copies (Id int NOT NULL, Customer nvarchar(40) NULL, Amount decimal(12, 2) NULL, Placed datetime2 NULL, Weight float NULL);
