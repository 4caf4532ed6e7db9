/* SPDX-License-Identifier: Apache-2.0
 * A database with the schema only; see empty_database.h. */
#include "empty_database.h"

#include <stdio.h>

#include "base/heap.h"
#include "cloud.h"
#include "store/sql.h"

static struct {
	char *bytes;
	size_t size;
} remembered;

static void remember(struct ctx *c, const char *path)
{
	struct sql_driver *sql = NULL;
	assert_true(result_is_ok(sqlite_open(c, path, &sql)));
	assert_true(result_is_ok(sql->open(sql, c)));
	sql->close(sql); /* the log is carried over: the file has it all */
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	remembered.size = (size_t) ftell(file);
	remembered.bytes = heap_alloc(remembered.size);
	assert_non_null(remembered.bytes);
	rewind(file);
	assert_int_equal(fread(remembered.bytes, 1, remembered.size, file), remembered.size);
	(void) fclose(file);
}

void empty_database_write(struct ctx *c, const char *path)
{
	if (!remembered.bytes) {
		remember(c, path);
		return;
	}
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(remembered.bytes, 1, remembered.size, file), remembered.size);
	assert_int_equal(fclose(file), 0);
}
