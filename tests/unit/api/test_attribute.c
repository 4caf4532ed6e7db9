/* SPDX-License-Identifier: Apache-2.0
 * Tables of attributes: writes each form as XML and JSON, omits missing values and members of other calls, finds filters, and
 * prints the documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/core/action.h"
#include "api/core/attribute.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/xml.h"
#include "model/security_group_rule.h"
#include "model/state.h"
#include "model/volume.h"

enum { VERSION_NEW = 60 };

static int version;
static bool is_a_change;
static struct ctx c;
static struct face_call {
	struct api_call core;
	struct str owner;
} face_call = {.core = {.c = &c}, .owner = STR("012345678901")};
#define the_call face_call.core
static const char *state_in_answer;

static bool shows(struct api_call *call, const struct attribute *a)
{
	(void) call;
	return !(a->flags & ATTRIBUTE_ADMIN) && version >= a->since;
}

static bool is_change(struct api_call *call)
{
	(void) call;
	return is_a_change;
}

static const char *answer_state(struct api_call *call)
{
	(void) call;
	return state_in_answer;
}

static const struct attribute_style xml_style = {.is_xml = true,
						 .answer_state = answer_state,
						 .has_ec2_ids = true,
						 .write_time = clock_write_ms,
						 .write_time_fine = clock_write_s,
						 .state_word = offsetof(struct state_info, ec2),
						 .item = "item",
						 .key = "key",
						 .value = "value",
						 .shows = shows,
						 .is_change = is_change};
static const struct attribute_style json_style = {.none_is_null = true,
						  .write_time = clock_write_s,
						  .write_time_fine = clock_write_ms,
						  .state_word = offsetof(struct state_info, cinder),
						  .shows = shows,
						  .is_change = is_change};

/* ---- rows ---- */

static const uuid one = {.b = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34}};
static struct volume volume;
static const struct volume *volumes[2];
static struct security_group_rule rule;

static void reset(void)
{
	version = 0;
	is_a_change = false;
	state_in_answer = NULL;
	volume = (struct volume){.row = {.id = one, .created_us = SECOND, .kind = KIND_VOLUME},
				 .size = (INT64_C(3) << 30) + 1,
				 .seen_size = 1,
				 .type = STR("gp3"),
				 .description = STR("a<b")};
	rule = (struct security_group_rule){.row = {.id = one}};
	volumes[0] = volumes[1] = &volume;
}

ATTRIBUTE_GETTER(volume, v, int64_t, get_size_negated, -v->size)
ATTRIBUTE_GETTER(volume, v, const char *, get_word, v->is_shared ? "shared" : NULL)

static struct attribute_rows list_twice(struct api_call *call, const struct row *row)
{
	(void) call;
	return (struct attribute_rows){volumes, volume_of(row)->is_bootable ? 2 : 0};
}

static const void *find_no_row(struct api_call *call, const struct row *row)
{
	(void) call;
	(void) row;
	return NULL;
}

static void write_two(struct api_call *call, struct json_writer *w, const char *name, const struct row *row)
{
	(void) call;
	json_write_text(w, name, volume_of(row)->type);
	json_write_int(w, "second", 2);
}

static const char *const sides[] = {"left", "right"};
static const struct attribute part_rows[] = {
	ATTRIBUTE_OWN_ID(volume, "partId", KIND_VOLUME, .filter = "part.id"),
	ATTRIBUTE(volume, "partType", type, .filter = "part.type"),
};
static const struct attributes parts = ATTRIBUTES(part_rows);

/* ---- helpers ---- */

static const char *write(const struct attribute_style *style, const struct attribute *rows, size_t count,
			 const struct row *row)
{
	static char text[4096];
	/* Tables are const data of the process: plans know them by their address. */
	static struct attribute kept[256];
	static size_t kept_count;
	const struct attributes table = {&kept[kept_count], count};
	assert_true(kept_count + count <= sizeof kept / sizeof kept[0]);
	memcpy(&kept[kept_count], rows, count * sizeof rows[0]);
	kept_count += count;
	struct buf b;
	struct xml x;
	struct json_writer w;
	buf_init(&b, sizeof text);
	const struct attribute_item *item = attributes_gather(attributes_plan(&the_call, style, &table), row);
	if (style->is_xml) {
		x = (struct xml){.out = &b};
		attributes_write_xml(item, &x);
		assert_int_equal(x.depth, 0);
	} else {
		json_write_begin(&w, &b);
		json_write_open(&w, NULL);
		attributes_write_json(item, &w);
		json_write_close(&w);
	}
	assert_false(b.failed);
	memcpy(text, b.p ? b.p : "", b.size);
	text[b.size] = '\0';
	buf_done(&b);
	return text;
}

#define ROW(...) &(const struct attribute) __VA_ARGS__, 1, &volume.row
#define assert_xml(expected, ...) assert_string_equal(write(&xml_style, ROW(__VA_ARGS__)), expected)
#define assert_json(expected, ...) assert_string_equal(write(&json_style, ROW(__VA_ARGS__)), "{" expected "}")

/* ---- tests ---- */

static void test_forms(void **state)
{
	(void) state;
	reset();
	assert_xml("<volumeId>vol-123456789abcdef01</volumeId>",
		   ATTRIBUTE_OWN_ID(volume, "volumeId", KIND_VOLUME));
	assert_json("\"id\":\"12345678-9abc-def0-1234-000000000000\"",
		    ATTRIBUTE_OWN_ID(volume, "id", KIND_VOLUME));
	assert_json("\"id\":\"123456789abcdef01234000000000000\"", ATTRIBUTE_AS(HEX, volume, "id", row.id));
	assert_xml("<size>4</size>", ATTRIBUTE(volume, "size", size, .shift = 30));
	assert_json("\"size\":4", ATTRIBUTE(volume, "size", size, .shift = 30));
	assert_json("\"size\":-3221225473", ATTRIBUTE_MADE(INT, number, "size", get_size_negated));
	assert_xml("<d>a&lt;b</d>", ATTRIBUTE(volume, "d", description));
	assert_json("\"d\":\"a<b\"", ATTRIBUTE(volume, "d", description));
	assert_xml("<encrypted>false</encrypted>", ATTRIBUTE(volume, "encrypted", is_encrypted));
	assert_json("\"on\":true", ATTRIBUTE(volume, "on", is_encrypted, .flags = ATTRIBUTE_NOT));
	assert_json("\"side\":\"left\"", ATTRIBUTE(volume, "side", is_encrypted, .words = sides));
	assert_xml("<side>left</side>", ATTRIBUTE(volume, "side", is_encrypted, .words = sides));
	assert_xml("<t>1970-01-01T00:00:01.000Z</t>", ATTRIBUTE_AS(TIME, volume, "t", row.created_us));
	assert_json("\"t\":\"1970-01-01T00:00:01.000Z\"",
		    ATTRIBUTE_AS(TIME_FINE, volume, "t", row.created_us));
	assert_xml("<state>available</state>", ATTRIBUTE_STATE_OF("state", KIND_VOLUME));
	assert_xml("<tier>standard</tier>", ATTRIBUTE_CONST("tier", "standard"));
	assert_json("\"tier\":null", ATTRIBUTE_CONST("tier", "null"));
	assert_json("\"one\":\"gp3\",\"second\":2", ATTRIBUTE_WRITTEN("one", write_two, .also = "second"));
}

static void test_long_names_and_texts(void **state)
{
	(void) state;
	reset();
	static char long_text[200];
	memset(long_text, 'x', sizeof long_text - 1);
	volume.type = str_from(long_text);
	assert_int_equal(strlen(write(&xml_style, ROW(ATTRIBUTE(volume, "t", type)))),
			 199 + strlen("<t></t>"));
	volume.type = STR("gp3");
	assert_xml("<aNameOfThirtyOneCharactersWhich>gp3</aNameOfThirtyOneCharactersWhich>",
		   ATTRIBUTE(volume, "aNameOfThirtyOneCharactersWhich", type));
	assert_xml("<aNameOfThirtyTwoCharactersWhichX>gp3</aNameOfThirtyTwoCharactersWhichX>",
		   ATTRIBUTE(volume, "aNameOfThirtyTwoCharactersWhichX", type));
}

static struct strs get_no_texts(struct api_call *e, const struct row *row)
{
	(void) e, (void) row;
	return (struct strs){0};
}

static void test_values_that_are_none(void **state)
{
	(void) state;
	reset();
	volume.type = STR_NONE;
	assert_xml("<t></t>", ATTRIBUTE(volume, "t", type));
	assert_json("\"t\":\"\"", ATTRIBUTE(volume, "t", type));
	assert_xml("", ATTRIBUTE(volume, "t", type, .flags = ATTRIBUTE_OMIT_NONE));
	assert_json("\"t\":null", ATTRIBUTE(volume, "t", type, .flags = ATTRIBUTE_NULL_NONE));
	assert_xml("", ATTRIBUTE_REF(volume, "s", snapshot, KIND_SNAPSHOT));
	assert_xml("<s></s>",
		   ATTRIBUTE_REF(volume, "s", snapshot, KIND_SNAPSHOT, .flags = ATTRIBUTE_EMPTY_NONE));
	assert_json("\"s\":null", ATTRIBUTE_REF(volume, "s", snapshot, KIND_SNAPSHOT));
	assert_json("", ATTRIBUTE_REF(volume, "s", snapshot, KIND_SNAPSHOT, .flags = ATTRIBUTE_OMIT_NONE));
	assert_json("\"t\":null", ATTRIBUTE_AS(TIME, volume, "t", attached_us));
	assert_xml("<n>0</n>", ATTRIBUTE(volume, "n", iops));
	assert_xml("", ATTRIBUTE(volume, "n", iops, .flags = ATTRIBUTE_OMIT_NONE));
	const struct attribute from_zero = ATTRIBUTE(volume, "n", iops, .flags = ATTRIBUTE_FROM_ZERO);
	char room[ATTRIBUTE_TEXT_SIZE];
	assert_string_equal(write(&json_style, &from_zero, 1, &volume.row), "{\"n\":0}");
	volume.iops = -1;
	assert_string_equal(write(&json_style, &from_zero, 1, &volume.row), "{\"n\":null}");
	assert_null(attribute_text(&json_style, &from_zero, &volume.iops, room).p);
	assert_json("\"l\":[]", ATTRIBUTE_MADE(TEXTS, texts, "l", get_no_texts));
	assert_xml("<l></l>", ATTRIBUTE_MADE(TEXTS, texts, "l", get_no_texts));
	assert_xml("", ATTRIBUTE_MADE(TEXTS, texts, "l", get_no_texts, .flags = ATTRIBUTE_OMIT_NONE));
	assert_xml("", ATTRIBUTE_MADE(WORD, word, "w", get_word));
	assert_json("\"w\":null", ATTRIBUTE_MADE(WORD, word, "w", get_word));
	assert_json("\"o\":null", ATTRIBUTE_WITHIN("o", parts, .get.at = find_no_row));
	assert_xml("", ATTRIBUTE_WITHIN("o", parts, .get.at = find_no_row));
	assert_xml("<tagSet/>", ATTRIBUTE(volume, "tagSet", tags));
	assert_xml("", ATTRIBUTE(volume, "tagSet", tags, .flags = ATTRIBUTE_OMIT_NONE_IN_READS));
	is_a_change = true;
	assert_xml("<tagSet/>", ATTRIBUTE(volume, "tagSet", tags, .flags = ATTRIBUTE_OMIT_NONE_IN_READS));
	assert_string_equal(write(&json_style,
				  &(const struct attribute) ATTRIBUTE(security_group_rule, "b", peer_block),
				  1, &rule.row),
			    "{\"b\":null}");
}

static void test_lists_and_objects(void **state)
{
	(void) state;
	reset();
	assert_xml("<parts></parts>", ATTRIBUTE_ROWS("parts", parts, list_twice));
	assert_json("\"parts\":[]", ATTRIBUTE_ROWS("parts", parts, list_twice));
	assert_json("", ATTRIBUTE_ROWS("parts", parts, list_twice, .flags = ATTRIBUTE_OMIT_NONE));
	volume.is_bootable = true;
#define PART "<partId>vol-123456789abcdef01</partId><partType>gp3</partType>"
	assert_xml("<parts><item>" PART "</item><item>" PART "</item></parts>",
		   ATTRIBUTE_ROWS("parts", parts, list_twice));
	assert_xml("<part>" PART "</part>", ATTRIBUTE_WITHIN("part", parts));
	const struct tag tag = {STR("k"), STR("v")};
	volume.tags = (struct tags){&tag, 1};
	assert_xml("<tags><item><key>k</key><value>v</value></item></tags>", ATTRIBUTE(volume, "tags", tags));
	assert_json("\"tags\":{\"k\":\"v\"}", ATTRIBUTE(volume, "tags", tags));
}

static bool is_type(const void *arg, const struct attribute *a, const void *at)
{
	char room[ATTRIBUTE_TEXT_SIZE];
	return str_equal(attribute_text(&xml_style, a, at, room), *(const struct str *) arg);
}

static const struct attribute inner_rows[] = {
	ATTRIBUTE_OWN_ID(volume, "id", KIND_VOLUME, .filter = "inner.id"),
	ATTRIBUTE_ROWS("parts", parts, list_twice, .flags = ATTRIBUTE_FILTERS_WITHIN),
};
static const struct attributes inner = ATTRIBUTES(inner_rows);

static const void *find_same(struct api_call *call, const struct row *row)
{
	(void) call;
	return row;
}

static void test_values_of_calls_and_families(void **state)
{
	(void) state;
	reset();
	assert_xml("<o>012345678901</o>", ATTRIBUTE_CALL(face_call, "o", owner));
	assert_json("\"o\":\"012345678901\"", ATTRIBUTE_CALL(face_call, "o", owner));
	assert_xml("<a>eipassoc-123456789abcdef01</a>", ATTRIBUTE_PREFIXED(volume, "a", row.id, "eipassoc"));
	assert_xml("<s>default</s>", ATTRIBUTE_REF(volume, "s", snapshot, KIND_SNAPSHOT, .none = "default"));
	assert_json("\"s\":\"default\"",
		    ATTRIBUTE_REF(volume, "s", snapshot, KIND_SNAPSHOT, .none = "default"));
	assert_xml("<s>available</s>", ATTRIBUTE_STATE_OF("s", KIND_VOLUME, .flags = ATTRIBUTE_IN_ANSWER));
	state_in_answer = "pending";
	assert_xml("<s>pending</s>", ATTRIBUTE_STATE_OF("s", KIND_VOLUME, .flags = ATTRIBUTE_IN_ANSWER));
	assert_xml("<s>available</s>", ATTRIBUTE_STATE_OF("s", KIND_VOLUME));
	assert_int_equal(result_is_ok(cidr_parse(STR("2001:db8::/32"), &rule.peer_block)), true);
	static const struct attribute blocks[] = {
		ATTRIBUTE(security_group_rule, "v4", peer_block, .flags = ATTRIBUTE_V4),
		ATTRIBUTE(security_group_rule, "v6", peer_block, .flags = ATTRIBUTE_V6),
	};
	assert_string_equal(write(&xml_style, blocks, 2, &rule.row), "<v6>2001:db8::/32</v6>");
	assert_xml("<none/>",
		   ATTRIBUTE_ROWS("none", parts, attribute_list_nothing, .flags = ATTRIBUTE_EMPTY_NONE));
}

/* Objects of other rows, without an element, and lists in them: queries name what is in each. */
static void test_members_far_within(void **state)
{
	static const struct attribute rows[] = {
		ATTRIBUTE_INLINE(inner, find_same, .flags = ATTRIBUTE_FILTERS_WITHIN),
		ATTRIBUTE_INLINE(inner, find_no_row, .flags = ATTRIBUTE_FILTERS_WITHIN),
	};
	static const struct attributes table = ATTRIBUTES(rows);
	struct str gp3 = STR("gp3");
	(void) state;
	reset();
	volume.is_bootable = true;
	assert_string_equal(write(&xml_style, rows, 2, &volume.row),
			    "<id>vol-123456789abcdef01</id><parts><item>" PART "</item><item>" PART
			    "</item></parts>");
	struct attribute_found type = attributes_find_filter(&table, STR("part.type"));
	assert_ptr_equal(type.around[0], &rows[0]);
	assert_ptr_equal(type.around[1], &inner_rows[1]);
	assert_null(type.around[2]);
	assert_true(attribute_any(&the_call, NULL, &type, &volume.row, is_type, &gp3));
	assert_ptr_equal(attributes_get_filter(&table, 2).attribute, &part_rows[1]);
	assert_ptr_equal(attributes_get_filter(&table, 3).attribute, &inner_rows[0]);
	assert_null(attributes_get_filter(&table, 6).attribute);
	type.around[0] = &rows[1]; /* there is no such row */
	assert_false(attribute_any(&the_call, NULL, &type, &volume.row, is_type, &gp3));
}

static void test_members_of_some_calls(void **state)
{
	(void) state;
	reset();
	assert_json("", ATTRIBUTE(volume, "type", type, .since = VERSION_NEW));
	version = VERSION_NEW;
	assert_json("\"type\":\"gp3\"", ATTRIBUTE(volume, "type", type, .since = VERSION_NEW));
	assert_json("", ATTRIBUTE(volume, "type", type, .flags = ATTRIBUTE_ADMIN));
	assert_json("", ATTRIBUTE(volume, "type", type, .flags = ATTRIBUTE_HIDDEN));
}

static const struct attribute other_rows[] = {
	ATTRIBUTE(volume, "other", type, .filter = "other"),
};
static const struct attributes others = ATTRIBUTES(other_rows);

static struct str get_text(struct api_call *e, const struct row *row)
{
	(void) e, (void) row;
	return STR("text");
}

static void test_filters(void **state)
{
	(void) state;
	reset();
	static const struct attribute rows[] = {
		ATTRIBUTE(volume, "size", size, .filter = "size", .sort = "bytes|gib", .shift = 30),
		ATTRIBUTE_ROWS("parts", parts, list_twice, .flags = ATTRIBUTE_FILTERS_WITHIN),
		ATTRIBUTE_ROWS("others", others, list_twice),
		ATTRIBUTE_MADE(WORD, word, "word", get_word, .filter = "word"),
	};
	static const struct attributes table = ATTRIBUTES(rows);
	struct str gp3 = STR("gp3"), four = STR("4");
	struct attribute_found size = attributes_find_filter(&table, STR("size"));
	struct attribute_found type = attributes_find_filter(&table, STR("part.type"));
	assert_ptr_equal(size.attribute, &rows[0]);
	assert_null(size.around[0]);
	assert_ptr_equal(type.attribute, &part_rows[1]);
	assert_ptr_equal(type.around[0], &rows[1]);
	assert_null(type.around[1]);
	assert_null(attributes_find_filter(&table, STR("parts")).attribute);
	assert_ptr_equal(attributes_find_sort(&table, STR("bytes")), &rows[0]);
	assert_true(attribute_any(&the_call, NULL, &size, &volume.row, is_type, &four));
	assert_false(attribute_any(&the_call, NULL, &size, &volume.row, is_type, &gp3));
	assert_false(attribute_any(&the_call, NULL, &type, &volume.row, is_type, &gp3)); /* no parts */
	volume.is_bootable = true;
	assert_true(attribute_any(&the_call, NULL, &type, &volume.row, is_type, &gp3));
	assert_string_equal(attribute_field(KIND_VOLUME, &rows[0])->name, "size");
	assert_null(attribute_field(KIND_VOLUME, &rows[3]));
	assert_null(attributes_find_filter(&table, STR("other")).attribute); /* a list without filters */
	assert_ptr_equal(attributes_find_sort(&table, STR("gib")), &rows[0]);
	assert_null(attributes_find_sort(&table, STR("b")));
	const struct attribute made = ATTRIBUTE(volume, "n", name, .get.text = get_text);
	assert_null(attribute_field(KIND_VOLUME, &made));
	assert_string_equal(attribute_sort_field(KIND_VOLUME, &made)->name, "name");
	const struct attribute truth = ATTRIBUTE_CONST("t", "false"), word = ATTRIBUTE_CONST("t", "null");
	assert_true(attribute_is_fixed_truth(&truth) && !attribute_is_fixed_truth(&word));
}

static void test_documentation(void **state)
{
	(void) state;
	static const struct attribute rows[] = {
		ATTRIBUTE(volume, "size", size, .filter = "size", .since = VERSION_NEW),
		ATTRIBUTE_ROWS("parts", parts, list_twice),
		ATTRIBUTE_WRITTEN("one", write_two, .also = "second"),
		ATTRIBUTE_NOTHING("hidden"),
	};
	static const struct attributes table = ATTRIBUTES(rows);
	struct buf b;
	struct json_writer w;
	buf_init(&b, 4096);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	attributes_dump(&w, KIND_VOLUME, &table);
	json_write_close(&w);
	buf_add_char(&b, '\0');
	assert_non_null(strstr(b.p, "{\"name\":\"size\",\"type\":\"integer\",\"filter\":\"size\",\"since\":"
				    "60,\"doc\":\"Wanted size.\"}"));
	assert_non_null(strstr(b.p, "\"name\":\"parts.N.partType\""));
	assert_non_null(strstr(b.p, "\"name\":\"second\""));
	assert_non_null(strstr(b.p, "\"name\":\"one\",\"type\":\"any\",\"function\":true"));
	assert_null(strstr(b.p, "hidden"));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_long_names_and_texts),
		cmocka_unit_test(test_values_that_are_none),
		cmocka_unit_test(test_lists_and_objects),
		cmocka_unit_test(test_values_of_calls_and_families),
		cmocka_unit_test(test_members_far_within),
		cmocka_unit_test(test_members_of_some_calls),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_documentation),
	};
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	ctx_init(&c, arena);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
