"""SQL Server's errors, made from PostgreSQL's."""
import re

# SQLSTATE: (number, class, text; {} takes the name PostgreSQL tells)
STATES = {
    "23505": (2627, 14, "Violation of UNIQUE KEY constraint '{constraint}'. Cannot insert duplicate key in object '{table}'."),
    "23502": (515, 16, "Cannot insert the value NULL into column '{column}', table '{table}'; column does not allow nulls. INSERT fails."),
    "23503": (547, 16, "The statement conflicted with the FOREIGN KEY constraint \"{constraint}\"."),
    "23514": (547, 16, "The statement conflicted with the CHECK constraint \"{constraint}\"."),
    "42P01": (208, 16, "Invalid object name '{object}'."), "42703": (207, 16, "Invalid column name '{object}'."),
    "3F000": (2760, 16, "The specified schema name \"{object}\" either does not exist or you do not have permission to use it."),
    "42P07": (2714, 16, "There is already an object named '{object}' in the database."),
    "42601": (102, 15, "Incorrect syntax: {message}"), "42883": (195, 15, "Not a recognized function: {message}"),
    "22P02": (245, 16, "Conversion failed: {message}"), "22007": (241, 16, "Conversion failed when converting date and/or time from character string."),
    "22008": (242, 16, "The conversion resulted in an out-of-range value."), "22003": (8115, 16, "Arithmetic overflow error: {message}"),
    "22001": (2628, 16, "String or binary data would be truncated in table '{table}'."), "22012": (8134, 16, "Divide by zero error encountered."),
    "40P01": (1205, 13, "Transaction was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction."),
    "40001": (3960, 16, "Snapshot isolation transaction aborted due to update conflict."),
    "55P03": (1222, 16, "Lock request time out period exceeded."), "42501": (229, 14, "The permission was denied: {message}"),
    "25006": (3906, 16, "Failed to update database because the database is read-only."),
}
# After these the next statement of the batch still runs.
CONTINUE = {2627, 2601, 515, 547, 8134, 8115, 3701, 3702, 2628, 544, 15151, 220, 50000}


class SqlError(Exception):
    def __init__(self, number, text, severity=16, state=1, line=1):
        super().__init__(text)
        self.number, self.text, self.severity, self.state, self.line = number, text, severity, state, line


class Cancelled(Exception):
    """The client sent an attention."""


def quoted(message):
    found = re.search(r'"([^"]*)"', message)
    name = found.group(1) if found else message
    return re.sub(r"^[^.]*\.([^.]*)\.", r"\1.", name)


def from_postgres(failure):
    diag = failure.diag
    message = diag.message_primary or str(failure)
    number, severity, text = STATES.get(failure.pgcode, (50000, 16, "{message}"))
    if number == 2627 and "pkey" not in (diag.constraint_name or "") and "_index" in (diag.constraint_name or ""):
        number = 2601
    if number == 547 and (diag.constraint_name or "").endswith("_check") and "tinyint" in (diag.datatype_name or ""):
        number = 220
    if diag.message_primary and failure.pgcode == "42703":
        message = re.sub(r'"?\w+"?\."?', '"', message, count=1) if "." in message else message
    return SqlError(number, text.format(constraint=diag.constraint_name, table=f"dbo.{diag.table_name}", column=diag.column_name,
                                        object=quoted(message), message=message), severity)
