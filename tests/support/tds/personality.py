"""What kind of server this is: Microsoft's, or one that speaks TDS and is stricter.

SQLSERVER is what the documentation of SQL Server says. STRICTER is a server by someone
else that haul will meet: what it does not do is left out here the same way, so that a
client must ask in ways that have a fallback. A test takes either by the fixtures
(fixtures.py), or makes its own with dataclasses.replace.
"""
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Personality:
    name: str
    bulk_needs_done: bool = False       # a bulk stream without its closing DONE is refused
    bulk_converts: bool = True          # a wire type that is not the column's is converted
    bulk_needs_padding: bool = False    # char(n), nchar(n), binary(n) must come with all n
    order_hint: bool = True             # INSERT BULK ... WITH (ORDER (...))
    partition_stats: bool = True        # sys.dm_db_partition_stats is there
    row_statistics: bool = True         # sys.partitions.rows is right; else 0 until UPDATE STATISTICS
    login_in_order: bool = False        # LOGIN7 is read front to back
    attention: bool = True              # an attention is answered (never, when False)
    applocks: bool = True               # sp_getapplock is there
    rename_untyped: bool = True         # sp_rename of two parameters
    own_numbers: bool = False           # most errors have one number of the server's own, and PostgreSQL's words
    refused: tuple = ()                 # regular expressions of statements that it does not know


SQLSERVER = Personality("sqlserver")
STRICTER = Personality("stricter", login_in_order=True, bulk_needs_done=True, bulk_converts=False, bulk_needs_padding=True, order_hint=False,
                       partition_stats=False, row_statistics=False, attention=False, applocks=False, rename_untyped=False, own_numbers=True,
                       refused=(r"DEADLOCK_PRIORITY", r"TABLESAMPLE", r"COLUMNSTORE", r"sys\.dm_", r"sysindexes", r"generated_always_type",
                                r"partition_(schemes|functions)", r"database_files", r"trigger_events", r"sql_expression_dependencies",
                                r"database_permissions", r"\bDBCC\b", r"^\s*KILL\b", r"SERVERPROPERTY", r"DATABASEPROPERTYEX"))
# No catalog but INFORMATION_SCHEMA: what is asked of sys must have a way round it.
BARE = replace(STRICTER, name="bare", refused=(*STRICTER.refused, r"\bsys\.", r"HAS_PERMS_BY_NAME", r"SUSER_SNAME", r"^INSERT BULK.*\bTABLOCK\b", r"FMTONLY"))
