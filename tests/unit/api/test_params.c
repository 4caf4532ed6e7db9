/* SPDX-License-Identifier: Apache-2.0
 * The request parser and the reader of parameter tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/query/request.h"
#include "base/buf.h"

struct inner {
	struct str key, value, field;
	bool has_value;
};
static const struct param inner_rows[] = {
	PARAM(struct inner, "Key", key, .flags = REQUIRED, .max = 4,
	      .field = offsetof(struct inner, field) + 1),
	PARAM(struct inner, "Value", value, .given = offsetof(struct inner, has_value) + 1),
};
static const struct params inner_params = PARAMS(struct inner, inner_rows);

struct middle {
	struct str name;
	struct {
		const struct inner *at;
		size_t count;
	} inners;
};
static const struct param middle_rows[] = {
	PARAM(struct middle, "Name", name),
	PARAM_LIST(struct middle, "Inner", inners, inner_params),
};
static const struct params middle_params = PARAMS(struct middle, middle_rows);

struct outer {
	struct str text, word, bytes, absent;
	int64_t number, bounded;
	bool flag;
	enum choice choice, worded;
	struct ref id, any, name, association;
	struct refs ids;
	struct strs texts;
	struct ip ip;
	struct cidr cidr;
	struct {
		const struct middle *at;
		size_t count;
	} middles;
};
#define P(wire, member, ...) PARAM(struct outer, wire, member, __VA_ARGS__)
static const struct param outer_rows[] = {
	P("Text", text, .flags = REQUIRED, .max = 5),
	P("Word", word, .words = "red|blue"),
	P("Bytes", bytes, .flags = BASE64, .max = 4),
	P("Absent", absent, .absent = "here"),
	P("Number", number),
	P("Bounded", bounded, .min = 2, .max = 9),
	P("Flag", flag),
	P("Choice", choice),
	P("Worded", worded, .yes = "enabled", .no = "disabled"),
	P("Id", id, .kind = KIND_INSTANCE),
	P("Any", any, .flags = ANY_KIND),
	P("Name", name, .flags = BY_NAME, .kind = KIND_KEY_PAIR),
	P("Association", association, .prefix = "eipassoc"),
	P("InstanceId", ids, .kind = KIND_INSTANCE),
	P("Item", texts),
	P("Ip", ip),
	P("Deep.Cidr", cidr),
	PARAM_LIST(struct outer, "Middle", middles, middle_params, .max = 2),
	NOT_BUILT("Later"),
	NOT_BUILT("Tenancy", .only = "default"),
};
static const struct params outer_params = PARAMS(struct outer, outer_rows);
static const char *const common[] = {"Action", 0};

struct fixture {
	struct arena *arena;
	struct ctx c;
	struct outer out;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.arena = arena_new(4096, 1 << 20)};
	ctx_init(&f.c, f.arena);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct fixture *) *state)->arena);
	return 0;
}

static RESULT read_form(struct fixture *f, const char *form)
{
	struct pairs pairs;
	arena_reset(f->arena);
	ctx_init(&f->c, f->arena);
	f->out = (struct outer){0};
	TRY(request_parse(&f->c, STR_NONE, str_from(form), &pairs));
	return request_read(&f->c, &request_ec2_dialect, &outer_params, common, &pairs, &f->out);
}

static void read_ok(struct fixture *f, const char *form)
{
	struct result r = read_form(f, form);
	if (r.code)
		print_message("%s: %.*s\n", form, STR_ARG(f->c.problem.message));
	assert_int_equal(r.code, ERR_NONE);
}

static void read_fails(struct fixture *f, const char *form, enum err err, const char *field)
{
	struct result r = read_form(f, form);
	if (r.code != err || !str_is(f->c.problem.field, field))
		print_message("%s: %s at '%.*s': %.*s\n", form, err_name(r.code), STR_ARG(f->c.problem.field),
			      STR_ARG(f->c.problem.message));
	assert_int_equal(r.code, err);
	assert_true(str_is(f->c.problem.field, field));
}

static void test_every_type(void **state)
{
	struct fixture *f = *state;
	read_ok(f, "Action=X&Text=a+b&Word=blue&Bytes=AAEC&Number=-5&Bounded=9&Flag=TRUE&Choice=false&Worded="
		   "enabled"
		   "&Id=i-0123456789abcdef0&Any=vpc-0123456789abcdef0&Name=my%20key&Association=eipassoc-"
		   "0123456789abcdef0"
		   "&InstanceId.1=i-0123456789abcdef0&Item.1=x&Ip=10.0.0.1&Deep.Cidr=10.0.0.0/"
		   "8&Tenancy=default");
	const struct outer *o = &f->out;
	assert_true(str_is(o->text, "a b"));
	assert_true(str_is(o->word, "blue"));
	assert_int_equal(o->bytes.n, 3);
	assert_memory_equal(o->bytes.p, "\0\1\2", 3);
	assert_true(str_is(o->absent, "here"));
	assert_int_equal(o->number, -5);
	assert_int_equal(o->bounded, 9);
	assert_true(o->flag);
	assert_int_equal(o->choice, CHOICE_NO);
	assert_int_equal(o->worded, CHOICE_YES);
	assert_int_equal(o->id.kind, KIND_INSTANCE);
	assert_int_equal(o->id.bits, 68);
	assert_true(str_is(o->id.field, "Id"));
	assert_int_equal(o->any.kind, KIND_ROUTER);
	assert_int_equal(o->name.bits, 0);
	assert_true(str_is(o->name.text, "my key"));
	assert_int_equal(o->association.kind, KIND_NONE);
	assert_int_equal(o->association.bits, 68);
	assert_int_equal(o->ids.count, 1);
	assert_true(str_is(o->ids.at[0].field, "InstanceId.1"));
	assert_true(str_is(o->texts.at[0], "x"));
	assert_int_equal(ip_to_v4(o->ip), 0x0A000001);
	assert_int_equal(o->cidr.bits, 8);
}

static void test_nothing_but_the_required(void **state)
{
	struct fixture *f = *state;
	read_ok(f, "Text=x");
	assert_int_equal(f->out.choice, CHOICE_DEFAULT);
	assert_int_equal(f->out.id.kind, KIND_NONE);
	read_ok(f, "Text=x&Id="); /* as Packer names no VPC */
	assert_int_equal(f->out.id.kind, KIND_NONE);
	assert_int_equal(f->out.texts.count, 0);
	assert_true(ip_is_none(f->out.ip));
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	read_ok(f, "Item.10=c&Text=x&Item.9=b&Item.2=a&Item.1000=d");
	assert_int_equal(f->out.texts.count, 4);
	const char *const wanted[] = {"a", "b", "c", "d"};
	for (size_t k = 0; k < 4; k++)
		assert_true(str_is(f->out.texts.at[k], wanted[k]));
	read_ok(f, "Text=x&Item.1=b&Item.0=a"); /* as Libcloud counts */
	assert_int_equal(f->out.texts.count, 2);
	assert_true(str_is(f->out.texts.at[0], "a"));
	read_ok(f, "Text=x&Item=a"); /* as it asks for one key */
	assert_int_equal(f->out.texts.count, 1);
	assert_true(str_is(f->out.texts.at[0], "a"));
	read_ok(f, "Middle.7.Inner.3.Key=k3&Text=x&Middle.2.Name=two&Middle.7.Inner.1.Value=&Middle.7.Inner."
		   "1.Key=k1"
		   "&Middle.7.Name=seven");
	assert_int_equal(f->out.middles.count, 2);
	assert_true(str_is(f->out.middles.at[0].name, "two"));
	assert_int_equal(f->out.middles.at[0].inners.count, 0);
	const struct middle *seven = &f->out.middles.at[1];
	assert_int_equal(seven->inners.count, 2);
	assert_true(seven->inners.at[0].has_value);
	assert_false(seven->inners.at[1].has_value);
	assert_true(str_is(seven->inners.at[1].field, "Middle.7.Inner.3.Key"));
}

static void test_refusals(void **state)
{
	static const struct {
		const char *form;
		enum err err;
		const char *field;
	} cases[] = {
		{"", ERR_MISSING, "Text"},
		{"Text=", ERR_MISSING, "Text"},
		{"Text=sixsix", ERR_INVALID, "Text"},
		{"Text=%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9", ERR_NONE, ""}, /* five characters */
		{"Text=x&Word=green", ERR_INVALID, "Word"},
		{"Text=x&Bytes=AAECAwQ%3D", ERR_INVALID, "Bytes"},
		{"Text=x&Bytes=-", ERR_INVALID, "Bytes"},
		{"Text=x&Number=1.5", ERR_INVALID, "Number"},
		{"Text=x&Number=", ERR_INVALID, "Number"},
		{"Text=x&Number=9223372036854775808", ERR_INVALID, "Number"},
		{"Text=x&Bounded=1", ERR_INVALID, "Bounded"},
		{"Text=x&Bounded=10", ERR_INVALID, "Bounded"},
		{"Text=x&Flag=yes", ERR_INVALID, "Flag"},
		{"Text=x&Choice=1", ERR_INVALID, "Choice"},
		{"Text=x&Worded=true", ERR_INVALID, "Worded"},
		{"Text=x&Id=i-123", ERR_MALFORMED, "Id"},
		{"Text=x&Id=vpc-0123456789abcdef0", ERR_MALFORMED, "Id"},
		{"Text=x&Any=thing-0123456789abcdef0", ERR_MALFORMED, "Any"},
		{"Text=x&InstanceId.1=i-0123456789abcdef0&InstanceId.2=", ERR_INVALID, "InstanceId.2"},
		{"Text=x&Ip=::1", ERR_INVALID, "Ip"},
		{"Text=x&Ip=10.0.0", ERR_INVALID, "Ip"},
		{"Text=x&Deep.Cidr=10.0.0.0/33", ERR_INVALID, "Deep.Cidr"},
		{"Text=x&Later=", ERR_UNSUPPORTED, "Later"},
		{"Text=x&Later.3.Anything=1", ERR_UNSUPPORTED, "Later.3.Anything"},
		{"Text=x&Tenancy=host", ERR_UNSUPPORTED, "Tenancy"},
		{"Text=x&Colour=red", ERR_UNKNOWN, "Colour"},
		{"Text=x&text=red", ERR_UNKNOWN, "text"},
		{"Text=x&Text.1=red", ERR_UNKNOWN, "Text.1"},
		{"Text=x&Middle=red", ERR_UNKNOWN, "Middle"},
		{"Text=x&Item.00=red", ERR_UNKNOWN, "Item.00"},
		{"Text=x&Item.01=red", ERR_UNKNOWN, "Item.01"},
		{"Text=x&Item.-1=red", ERR_INVALID, "Item.-1"},
		{"Text=x&Item.1001=red", ERR_INVALID, "Item.1001"},
		{"Text=x&Item.1.Name=red", ERR_UNKNOWN, "Item.1.Name"},
		{"Text=x&Item.1=a&Item.1.Name=red", ERR_UNKNOWN, "Item.1.Name"},
		{"Text=x&Item.=red", ERR_UNKNOWN, "Item."},
		{"Text=x&Item.member.1=red", ERR_UNKNOWN, "Item.member.1"},
		{"Text=x&Middle.1=red", ERR_UNKNOWN, "Middle.1"},
		{"Text=x&Middle.1.Colour=red", ERR_UNKNOWN, "Middle.1.Colour"},
		{"Text=x&Middle.1.Action=red", ERR_UNKNOWN, "Middle.1.Action"},
		{"Text=x&Middle.4.Inner.2.Value=red", ERR_MISSING, "Middle.4.Inner.2.Key"},
		{"Text=x&Middle.1.Inner.1.Key=toolong", ERR_INVALID, "Middle.1.Inner.1.Key"},
		{"Text=x&Middle.1.Name=a&Middle.2.Name=b&Middle.3.Name=c", ERR_INVALID, "Middle.3.Name"},
		{"Text=x&Text=y", ERR_INVALID, "Text"},
		{"Text=%FF", ERR_INVALID, "Text"},
		{"Text=%00", ERR_INVALID, "Text"},
		{"Text=%07", ERR_INVALID, "Text"},
		{"Text=%ED%A0%80", ERR_INVALID, "Text"},
		{"Text=%", ERR_INVALID, ""},
		{"Text=%zz", ERR_INVALID, ""},
		{"%FF=x", ERR_INVALID, ""},
		{"=x&Text=x", ERR_UNKNOWN, ""},
		{"Text=x&Item.99999999999999999999=a", ERR_UNKNOWN, "Item.99999999999999999999"},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		read_fails(*state, cases[k].form, cases[k].err, cases[k].field);
}

static void test_small_names(void **state)
{
	static const char *const names[][2] = {
		{"VpcId", "vpcId"},
		{"BlockDeviceMapping.1.Ebs.VolumeSize", "blockDeviceMapping.1.ebs.volumeSize"},
		{"small", "small"},
		{"", ""}};
	const struct fixture *f = *state;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		assert_true(str_is(params_small_name(f->c.arena, str_from(names[k][0])), names[k][1]));
}

static void test_signature_is_left_out(void **state)
{
	read_ok(*state, "Text=x&X-Amz-Signature=abc&x-amz-date=1&AWSAccessKeyId=2&SignatureVersion=4");
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct buf b;
	struct pairs pairs;
	buf_init(&b, 1 << 20);
	for (int k = 0; k <= REQUEST_PAIRS_MAX; k++)
		buf_print(&b, "&A.%d=%d", k, k);
	assert_int_equal(request_parse(&f->c, STR_NONE, buf_str(&b), &pairs).code, ERR_TOO_LARGE);
	buf_done(&b);
}

static void test_digest(void **state)
{
	struct fixture *f = *state;
	static const char *const but[] = {"Token", 0};
	static const char *const forms[] = {"A=1&B=2&Token=x", "B=2&Token=y&A=1", "A=1&B=3", "A=1B&=2",
					    "A=12"};
	struct str digests[5];
	for (size_t k = 0; k < 5; k++) {
		struct pairs pairs;
		assert_int_equal(request_parse(&f->c, STR_NONE, str_from(forms[k]), &pairs).code, ERR_NONE);
		digests[k] = pairs_digest(&f->c, &pairs, but);
		assert_int_equal(digests[k].n, 64);
	}
	assert_true(str_equal(digests[0], digests[1]));
	for (size_t k = 2; k < 5; k++)
		assert_false(str_equal(digests[0], digests[k]));
}

static void test_find(void **state)
{
	struct fixture *f = *state;
	struct pairs pairs;
	assert_int_equal(request_parse(&f->c, STR("A=1"), STR("B=&C.2=x&C.10=y"), &pairs).code, ERR_NONE);
	assert_true(str_is(pairs_find(&pairs, "A"), "1"));
	assert_non_null(pairs_find(&pairs, "B").p);
	assert_true(str_is(pairs_find(&pairs, "C.10"), "y"));
	assert_null(pairs_find(&pairs, "D").p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_type, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_but_the_required, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signature_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_digest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
