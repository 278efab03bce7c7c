"""The stack's PostgreSQL, asked directly."""

import contextlib

import psycopg2

TABLES = ("messages", "attempts", "receipts", "receipts_unmatched", "cost_entries", "delayed")


class Database:
    def __init__(self, url):
        self.url = url
        self._connection = None

    def rows(self, sql, *values):
        """The rows of one statement; a connection that broke is made anew."""
        try:
            return self._rows(sql, values)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self._connection = None
            return self._rows(sql, values)

    def _rows(self, sql, values):
        if self._connection is None:
            self._connection = psycopg2.connect(self.url)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, sql, *values):
        (row,) = self.rows(sql, *values)
        return row[0] if len(row) == 1 else row

    @contextlib.contextmanager
    def without_message(self, message_id):
        """Takes the row of a message away for a while."""
        self.rows("create temporary table kept as select * from messages"
                  " where message_id = %s", message_id)
        self.rows("delete from messages where message_id = %s", message_id)
        try:
            yield
        finally:
            self.rows("insert into messages select * from kept")
            self.rows("drop table kept")

    @contextlib.contextmanager
    def locked(self, table):
        """Lets every statement on the table wait. In the end those that wait are broken
        off, with their sessions."""
        holder = psycopg2.connect(self.url)
        try:
            with holder.cursor() as cursor:
                cursor.execute(f"lock table {table} in access exclusive mode")
                yield
                cursor.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where pg_backend_pid() = any(pg_blocking_pids(pid))")
        finally:
            holder.close()

    def checksums(self):
        """One sum over all rows of each table, whatever their order. A callback that was
        buried once is left out: its record may be good when it comes again."""
        once = (" where not exists (select from dead_letters d where d.topic = 'sms.status'"
                " and d.part = t.part and d.off = t.off)")
        return {table: self.one(
            "select count(*) || ' rows, ' ||"
            f" coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t"
            + (once if table == "receipts" else ""))
            for table in TABLES}

    def columns_that_hold(self, text):
        """Tables in which some row shows text, in clear or as the bytes of a bytea."""
        names = self.rows(
            "select table_name from information_schema.tables where table_schema = 'public'"
            " and table_type = 'BASE TABLE'")
        return [name for (name,) in names if self.one(
            f"select exists (select from {name} t"
            " where position(%s in t::text) > 0 or position(%s in t::text) > 0)",
            text, text.encode().hex())]
