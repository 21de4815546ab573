"""SQLAlchemy, with its dialect mssql+pyodbc: use_sqlalchemy.py DSN"""

import datetime
import os
import platform
import sys
from decimal import Decimal
from urllib.parse import quote_plus

import sqlalchemy
from sqlalchemy import BigInteger, Boolean, Date, Double, Integer, LargeBinary, Numeric, Unicode
from sqlalchemy.dialects.mssql import DATETIME2
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

print(f"client: SQLAlchemy {sqlalchemy.__version__}")
print(f"language: Python {platform.python_version()}")

login = {name: os.environ[f"CLIENT_{name}".upper()] for name in ("user", "password") if "CLIENT_USER" in os.environ}
url = f"mssql+pyodbc://{':'.join(map(quote_plus, login.values()))}@{sys.argv[1]}"
engine = sqlalchemy.create_engine(url)


class Base(DeclarativeBase):
    pass


class Typed(Base):
    __tablename__ = "Typed"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    big: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(19, 4))
    ratio: Mapped[float | None] = mapped_column(Double)
    name: Mapped[str | None] = mapped_column(Unicode(40))
    born: Mapped[datetime.date | None] = mapped_column(Date)
    noted: Mapped[datetime.datetime | None] = mapped_column(DATETIME2(6))
    flag: Mapped[bool | None] = mapped_column(Boolean)
    data: Mapped[bytes | None] = mapped_column(LargeBinary)


Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([
        Typed(id=1, big=2**63 - 1, amount=Decimal("1234567.8901"), ratio=0.1, name="Bjørn & Sønner",
              born=datetime.date(1815, 12, 10), noted=datetime.datetime(2026, 11, 22, 20, 15, 1, 123456),
              flag=True, data=b"\x00\xff\x10"),
        Typed(id=2, big=-(2**63), amount=Decimal("-0.0001"), ratio=-1.5e300, name="日本 Ω 😀",
              born=datetime.date(9999, 12, 31), noted=datetime.datetime(1, 1, 1), flag=False, data=b""),
        Typed(id=3),
    ])
    session.commit()

with engine.connect() as connection:
    for row in connection.execute(sqlalchemy.select(Typed.__table__).order_by(Typed.id)):
        print(row)
    print(connection.scalars(sqlalchemy.select(Typed.id).where(Typed.name == "日本 Ω 😀")).all())

print([name for name in sqlalchemy.inspect(engine).get_table_names() if name == "Typed"])

try:
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT * FROM dbo.Missing"))
except sqlalchemy.exc.DBAPIError as error:
    print(type(error).__name__, error.orig.args)
