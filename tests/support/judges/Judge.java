// Microsoft's JDBC driver as a judge of the TDS server in the tests (judges.py compiles and runs it).
//
//   java Judge URL read QUERY            each row's values, a tab between them, as canonical text
//   java Judge URL copy QUERY TARGET     loads the query's rows into a table by SQLServerBulkCopy
//   java Judge URL token TOKEN QUERY     as read, logged in with an access token
//
// Canonical text: NULL is \N, bytes are 0x and hexadecimal digits, moments as SQL Server writes them.
import com.microsoft.sqlserver.jdbc.SQLServerBulkCopy;
import com.microsoft.sqlserver.jdbc.SQLServerBulkCopyOptions;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

public class Judge {
    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder("0x");
        for (byte one : bytes) {
            text.append(String.format("%02x", one));
        }
        return text.toString();
    }

    static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
    }

    static String text(ResultSet rows, int column, String type) throws SQLException {
        if (type.equals("hierarchyid") || type.equals("geometry") || type.equals("geography") || type.equals("udt")) {
            byte[] bytes = rows.getBytes(column);
            return bytes == null ? "\\N" : hex(bytes);
        }
        if (type.equals("datetime2") || type.equals("datetimeoffset") || type.equals("time") || type.equals("date")) {
            String moment = rows.getString(column);
            return moment == null ? "\\N" : moment;
        }
        Object value = rows.getObject(column);
        if (value == null) {
            return "\\N";
        }
        if (value instanceof byte[]) {
            return hex((byte[]) value);
        }
        if (value instanceof BigDecimal) {
            return ((BigDecimal) value).toPlainString();
        }
        return escape(value.toString());
    }

    static void read(Connection connection, String query) throws SQLException {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            ResultSetMetaData columns = rows.getMetaData();
            while (rows.next()) {
                StringBuilder line = new StringBuilder();
                for (int column = 1; column <= columns.getColumnCount(); column++) {
                    line.append(column > 1 ? "\t" : "").append(text(rows, column, columns.getColumnTypeName(column)));
                }
                out.print(line.append("\n"));
            }
        }
        out.flush();
    }

    static void copy(String url, String query, String target) throws SQLException {
        try (Connection from = DriverManager.getConnection(url); Connection to = DriverManager.getConnection(url);
             Statement statement = from.createStatement(); ResultSet rows = statement.executeQuery(query);
             SQLServerBulkCopy bulk = new SQLServerBulkCopy(to)) {
            SQLServerBulkCopyOptions options = new SQLServerBulkCopyOptions();
            options.setKeepIdentity(true);
            options.setKeepNulls(true);
            options.setTableLock(true);
            options.setBulkCopyTimeout(60);
            bulk.setBulkCopyOptions(options);
            bulk.setDestinationTableName(target);
            bulk.writeToServer(rows);
        }
    }

    public static void main(String[] words) throws SQLException {
        switch (words[1]) {
        case "read":
            try (Connection connection = DriverManager.getConnection(words[0])) {
                read(connection, words[2]);
            }
            break;
        case "copy":
            copy(words[0], words[2], words[3]);
            break;
        case "token":
            Properties settings = new Properties();
            settings.setProperty("accessToken", words[2]);
            try (Connection connection = DriverManager.getConnection(words[0], settings)) {
                read(connection, words[3]);
            }
            break;
        default:
            throw new IllegalArgumentException(words[1]);
        }
    }
}
