/* SPDX-License-Identifier: Apache-2.0
 * dari provider …, dari remote …: clouds elsewhere and their machines. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/file.h"
#include "daemon/client/ask.h"
#include "daemon/client/price_files.h"
#include "daemon/command.h"
#include "metering/money.h"

/* A verification is seven calls, which take a minute each at the worst; people wait for the usual case. */
enum { LOOKS_MAX = 60, LOOK_EVERY_US = 500 * 1000 };
#define PRICE_FILE_CAP ((size_t) 64 << 20)

/* ---- finding ---- */

/* The row with that id, or the only one whose members have these values. */
static RESULT find_row(struct asking *a, const json_t *rows, const char *member, const char *param,
		       const json_t **ret_row)
{
	struct str said = asking_arg(a, param);
	const json_t *row = NULL;
	json_t *each = NULL;
	size_t k = 0, count = 0;
	json_array_foreach (rows, k, each)
		if (str_equal(asking_text(each, "id"), said) || str_equal(asking_text(each, member), said)) {
			row = each;
			count++;
		}
	if (count > 1)
		return ctx_fail_field(a->c, ERR_INVALID, str_from(param),
				      "%zu of the %s are called %" STR_FMT "; give its id", count,
				      strcmp(param, "id") == 0 ? "machines" : "providers", STR_ARG(said));
	*ret_row = row;
	return row ? OK
		   : ctx_fail_field(a->c, ERR_NOT_FOUND, str_from(param), "there is no %s %" STR_FMT,
				    strcmp(param, "id") == 0 ? "machine" : "provider", STR_ARG(said));
}

static RESULT find_provider(struct asking *a, const json_t **ret_row)
{
	const json_t *rows = NULL;
	TRY(asking_list(a, "/providers", "*", &rows));
	return find_row(a, rows, "name", "name", ret_row);
}

/* A list of texts, joined by commas. */
static struct str texts_of(const struct asking *a, const json_t *row, const char *member)
{
	struct str all = STR_NONE;
	const json_t *list = json_object_get(row, member);
	for (size_t k = 0; k < json_array_size(list); k++)
		all = str_print(a->c->arena, "%" STR_FMT "%s%s", STR_ARG(all), k ? "," : "",
				json_string_value(json_array_get(list, k)));
	return all;
}

/* ---- providers ---- */

static void say_provider(struct asking *a, const json_t *p)
{
	struct str name = asking_text(p, "name"), cloud = asking_text(p, "cloud"),
		   region = asking_text(p, "region"), status = asking_text(p, "status"),
		   problem = asking_text(p, "problem");
	buf_print(&a->text, "%-16.*s %-6.*s %-16.*s %-11.*s %-20s %" STR_FMT "\n", STR_ARG(name),
		  STR_ARG(cloud), STR_ARG(region), STR_ARG(status),
		  asking_time(a, p, "refreshed_us", "never"), STR_ARG(problem));
	(void) json_array_append(a->value, (json_t *) p);
}

static RESULT list_providers(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/providers", "*", &rows));
	buf_print(&a->text, "%-16s %-6s %-16s %-11s %-20s %s\n", "name", "cloud", "region", "status",
		  "listed", "problem");
	json_array_foreach (rows, k, row)
		say_provider(a, row);
	return OK;
}

/* Says what the credentials can do, and what is in the way. */
static void say_verified(struct asking *a, const json_t *p)
{
	struct str status = asking_text(p, "status"), lacks = texts_of(a, p, "lacks"),
		   identity = asking_text(p, "identity"), problem = asking_text(p, "problem");
	buf_print(&a->text, "status    %" STR_FMT "%s%" STR_FMT "\n", STR_ARG(status), problem.n ? ": " : "",
		  STR_ARG(problem));
	if (identity.n)
		buf_print(&a->text, "account   %" STR_FMT "\n", STR_ARG(identity));
	buf_print(&a->text, "lacks     %" STR_FMT "\n", STR_ARG(lacks.n ? lacks : STR("nothing")));
	buf_print(&a->text, "reads     machines, every %" PRId64 " s; last complete listing: %s\n",
		  asking_int(p, "poll_s"), asking_time(a, p, "refreshed_us", "never"));
	const json_t *unlisted = json_object_get(p, "unlisted");
	for (size_t k = 0; k < json_array_size(unlisted); k++)
		buf_print(&a->text, "unlisted  %s\n", json_string_value(json_array_get(unlisted, k)));
	if (asking_int(p, "held"))
		buf_print(&a->text,
			  "held      %" PRId64
			  " machines that the last listing lacked; see `dari provider refresh --help`\n",
			  asking_int(p, "held"));
}

static RESULT show_provider(struct asking *a)
{
	const json_t *row = NULL;
	TRY(find_provider(a, &row));
	struct str endpoint = asking_text(row, "endpoint"), cloud = asking_text(row, "cloud"),
		   region = asking_text(row, "region"), login = asking_text(row, "login");
	buf_print(&a->text, "cloud     %" STR_FMT ", region %" STR_FMT "%s%" STR_FMT "\n", STR_ARG(cloud),
		  STR_ARG(region), endpoint.n ? ", at " : "", STR_ARG(endpoint));
	buf_print(&a->text, "login     %" STR_FMT "\n", STR_ARG(login));
	say_verified(a, row);
	json_decref(a->value);
	a->value = json_incref((json_t *) row);
	return OK;
}

/* Waits until the provider has been verified, or failed to. */
static RESULT wait_for_status(struct asking *a)
{
	const json_t *row = NULL;
	for (int k = 0; k < LOOKS_MAX; k++) {
		TRY(find_provider(a, &row));
		if (!str_is(asking_text(row, "status"), "unknown") && asking_int(row, "since_us"))
			break;
		clock_sleep_us(LOOK_EVERY_US);
	}
	say_verified(a, row);
	json_decref(a->value);
	a->value = json_incref((json_t *) row);
	return OK;
}

static const struct carried provider_members[] = {
	{.member = "name", .param = "name"},       {.member = "cloud", .param = "cloud"},
	{.member = "region", .param = "region"},   {.member = "endpoint", .param = "endpoint"},
	{.member = "project", .param = "project"}, {.member = "domain", .param = "domain"},
	{.member = "account", .param = "account"},
};
static const struct carried credential_members[] = {
	{.member = "login", .param = "login"},
	{.member = "secret", .param = "secret-file", .how = CARRY_SECRET},
	{.member = "secret", .param = "secret-stdin"},
	{.member = "ca", .param = "ca-file", .how = CARRY_FILE},
	{.member = "pin", .param = "pin"},
	{.member = "poll_s", .param = "poll-s", .how = CARRY_COUNT},
	{.member = "reads_metrics", .param = "metrics", .how = CARRY_CHOICE},
	{.member = "queue", .param = "queue"},
};

/* Another Dari is driven by its EC2 face, which has all acts, metrics and migrations. */
static RESULT name_dari(struct asking *a, json_t *body)
{
	if (!str_is(asking_arg(a, "cloud"), "dari"))
		return OK;
	if (!asking_arg(a, "endpoint").n)
		return ctx_fail_field(a->c, ERR_INVALID, STR("endpoint"),
				      "another Dari needs --endpoint, the URL of its API, such as "
				      "https://cloud.example.com:8788");
	(void) json_object_set_new(body, "cloud", json_string("aws"));
	return OK;
}

static RESULT add_provider(struct asking *a)
{
	const json_t *answer = NULL;
	json_t *body = json_object();
	struct result result = asking_carry_all(a, provider_members,
						sizeof provider_members / sizeof *provider_members, body);
	if (result_is_ok(result))
		result = name_dari(a, body);
	if (result_is_ok(result))
		result = asking_carry_all(a, credential_members,
					  sizeof credential_members / sizeof *credential_members, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", "/providers", body, &answer);
	json_decref(body);
	TRY(result);
	return wait_for_status(a);
}

static RESULT set_provider(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	TRY(find_provider(a, &row));
	json_t *body = json_object();
	struct result result = asking_carry_all(a, credential_members,
						sizeof credential_members / sizeof *credential_members, body);
	if (str_is(asking_arg(a, "queue"), "none"))
		(void) json_object_set_new(body, "queue", json_string(""));
	if (result_is_ok(result))
		result = asking_change(a, "PATCH", asking_path(a, "/providers", row, ""), body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "provider %" STR_FMT " is changed\n", STR_ARG(asking_arg(a, "name")));
	asking_tell_nothing(a);
	return OK;
}

static RESULT refresh_provider(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	TRY(find_provider(a, &row));
	json_t *body =
		json_pack("{s:b}", "accepts_loss", json_is_true(json_object_get(a->args, "accept-loss")));
	struct result result =
		asking_change(a, "POST", asking_path(a, "/providers", row, "/refresh"), body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "provider %" STR_FMT " is listed soon\n", STR_ARG(asking_arg(a, "name")));
	asking_tell_nothing(a);
	return OK;
}

/* Reads a published price list. AWS's whole offer file of a region is larger than the cap. */
static RESULT read_price_file(struct asking *a, struct str region, struct price_file *f)
{
	struct str path = asking_arg(a, "file"), text = STR_NONE;
	struct result result = file_read(a->c, str_to_z(a->c->arena, path), PRICE_FILE_CAP, &text);
	if (result.code == ERR_TOO_LARGE)
		return ctx_fail_field(a->c, ERR_INVALID, STR("file"),
				      "the file has more than 64 MiB; get the prices of one region by `aws "
				      "pricing get-products` with filters");
	TRY(result);
	json_t *file = json_loadb(text.p ? text.p : "", text.n, 0, NULL);
	if (!file)
		return ctx_fail_field(a->c, ERR_INVALID, STR("file"), "the file is not JSON");
	result = price_file_read(a->c, file, region, f);
	json_decref(file);
	TRY(result);
	return f->taken ? OK
			: ctx_fail_field(a->c, ERR_INVALID, STR("file"),
					 "none of its %zu entries is a price of a Linux machine in "
					 "%" STR_FMT "; --region names another region of the file",
					 f->read, STR_ARG(region));
}

static RESULT load_prices(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	struct price_file f = {0};
	TRY(find_provider(a, &row));
	struct str region = asking_arg(a, "region");
	struct result result = read_price_file(a, region.n ? region : asking_text(row, "region"), &f);
	json_t *body = json_pack("{s:o,s:O}", "currency", asking_json(f.currency), "prices", f.prices);
	if (result_is_ok(result))
		result =
			asking_change(a, "POST", asking_path(a, "/providers", row, "/prices"), body, &answer);
	size_t count = json_object_size(f.prices);
	json_decref(body);
	json_decref(f.prices);
	TRY(result);
	buf_print(&a->text, "provider %" STR_FMT " has prices of %zu types in %" STR_FMT "\n",
		  STR_ARG(asking_arg(a, "name")), count, STR_ARG(f.currency));
	asking_tell_nothing(a);
	return OK;
}

static RESULT share_provider(struct asking *a)
{
	static const struct carried accounts = {.member = "accounts", .param = "account", .how = CARRY_LINES};
	const json_t *row = NULL, *answer = NULL;
	bool ends = json_is_true(json_object_get(a->args, "end"));
	TRY(find_provider(a, &row));
	if (ends == (asking_arg(a, "account").n > 0))
		return ctx_fail_field(a->c, ERR_INVALID, STR("account"), "give --account, or --end");
	json_t *body =
		json_pack("{s:[],s:b}", "accounts", "acts", json_is_true(json_object_get(a->args, "acts")));
	struct result result = ends ? OK : asking_carry(a, &accounts, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", asking_path(a, "/providers", row, "/share"), body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "provider %" STR_FMT " is %s\n", STR_ARG(asking_arg(a, "name")),
		  ends ? "no longer shared" : "shared with these accounts");
	asking_tell_nothing(a);
	return OK;
}

static RESULT remove_provider(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	TRY(find_provider(a, &row));
	TRY(asking_change(a, "DELETE", asking_path(a, "/providers", row, ""), NULL, &answer));
	buf_print(&a->text, "provider %" STR_FMT " is removed; its machines run on\n",
		  STR_ARG(asking_arg(a, "name")));
	asking_tell_nothing(a);
	return OK;
}

/* ---- machines ---- */

static RESULT list_machines(struct asking *a)
{
	const json_t *rows = NULL, *providers = NULL;
	struct str wanted = asking_arg(a, "provider");
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/providers", "name", &providers));
	TRY(asking_list(a, "/remote-machines", "*", &rows));
	buf_print(&a->text, "%-14s %-20s %-20s %-12s %-12s %-16s %s\n", "provider", "id", "name", "power",
		  "type", "addresses", "listed");
	json_array_foreach (rows, k, row) {
		struct str provider =
			asking_text(asking_find(providers, asking_text(row, "provider")), "name");
		struct str ref = asking_text(row, "ref"), name = asking_text(row, "name"),
			   power = asking_text(row, "power"), type = asking_text(row, "type"),
			   ips = texts_of(a, row, "private_ips");
		if (wanted.n && !str_equal(wanted, provider))
			continue;
		buf_print(&a->text, "%-14.*s %-20.*s %-20.*s %-12.*s %-12.*s %-16.*s %s\n", STR_ARG(provider),
			  STR_ARG(ref), STR_ARG(name), STR_ARG(power), STR_ARG(type), STR_ARG(ips),
			  asking_time(a, row, "refreshed_us", "never"));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

/* Sizes are powers of two, or nearly so. */
static struct str size_of(const struct asking *a, const json_t *row)
{
	int64_t size = asking_int(row, "size");
	const char *unit = size >= INT64_C(1) << 30 ? "GiB" : "MiB";
	int64_t one = size >= INT64_C(1) << 30 ? INT64_C(1) << 30 : INT64_C(1) << 20;
	return size ? str_print(a->c->arena, "%" PRId64 " %s", (size + one / 2) / one, unit) : STR_NONE;
}

static RESULT list_resources(struct asking *a)
{
	const json_t *rows = NULL, *providers = NULL;
	struct str wanted = asking_arg(a, "provider"), type = asking_arg(a, "type"),
		   whole = asking_arg(a, "of");
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/providers", "name", &providers));
	TRY(asking_list(a, "/remote-resources", "*", &rows));
	buf_print(&a->text, "%-14s %-14s %-24s %-20s %-12s %-9s %s\n", "provider", "type", "id", "name",
		  "state", "size", "listed");
	json_array_foreach (rows, k, row) {
		struct str provider =
			asking_text(asking_find(providers, asking_text(row, "provider")), "name");
		struct str ref = asking_text(row, "ref"), name = asking_text(row, "name"),
			   state = asking_text(row, "state"), its_type = asking_text(row, "type"),
			   size = size_of(a, row);
		if ((wanted.n && !str_equal(wanted, provider)) || (type.n && !str_equal(type, its_type)) ||
		    (whole.n && !str_equal(whole, asking_text(row, "parent"))))
			continue;
		buf_print(&a->text, "%-14.*s %-14.*s %-24.*s %-20.*s %-12.*s %-9.*s %s\n", STR_ARG(provider),
			  STR_ARG(its_type), STR_ARG(ref), STR_ARG(name), STR_ARG(state), STR_ARG(size),
			  asking_time(a, row, "refreshed_us", "never"));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

static RESULT find_machine(struct asking *a, const json_t **ret_row)
{
	const json_t *rows = NULL;
	TRY(asking_list(a, "/remote-machines", "*", &rows));
	return find_row(a, rows, "ref", "id", ret_row);
}

static RESULT show_machine(struct asking *a)
{
	static const char *const texts[] = {"ref",  "name",    "power",    "type",     "image",
					    "zone", "network", "key_name", "platform", "act_problem"};
	static const char *const lists[] = {"private_ips", "public_ips", "subnets", "groups", "volumes"};
	const json_t *row = NULL;
	TRY(find_machine(a, &row));
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		if (asking_text(row, texts[k]).n)
			buf_print(&a->text, "%-12s %" STR_FMT "\n", texts[k],
				  STR_ARG(asking_text(row, texts[k])));
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
		if (texts_of(a, row, lists[k]).n)
			buf_print(&a->text, "%-12s %" STR_FMT "\n", lists[k],
				  STR_ARG(texts_of(a, row, lists[k])));
	buf_print(&a->text, "%-12s %s\n", "listed", asking_time(a, row, "refreshed_us", "never"));
	json_decref(a->value);
	a->value = json_incref((json_t *) row);
	return OK;
}

/* `dari remote start` and its like: the command's second word is the act. */
static RESULT act(struct asking *a)
{
	static const struct carried members[] = {{.member = "tags", .param = "tag", .how = CARRY_PAIRS},
						 {.member = "type", .param = "type"}};
	const json_t *row = NULL, *answer = NULL;
	const char *word = a->words + sizeof "remote";
	TRY(find_machine(a, &row));
	json_t *body = json_object();
	struct result result = asking_carry_all(a, members, sizeof members / sizeof *members, body);
	const char *path = asking_path(a, "/remote-machines", row, str_print(a->c->arena, "/%s", word).p);
	if (result_is_ok(result))
		result = asking_change(a, "POST", path, body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "%s of %" STR_FMT " is requested\n", word, STR_ARG(asking_text(row, "ref")));
	asking_tell_nothing(a);
	return OK;
}

static RESULT create_machine(struct asking *a)
{
	static const struct carried members[] = {
		{.member = "name", .param = "name"},
		{.member = "image", .param = "image"},
		{.member = "type", .param = "type"},
		{.member = "zone", .param = "zone"},
		{.member = "subnet", .param = "subnet"},
		{.member = "key_name", .param = "key"},
		{.member = "groups", .param = "group", .how = CARRY_LINES},
		{.member = "tags", .param = "tag", .how = CARRY_PAIRS},
	};
	const json_t *rows = NULL, *provider = NULL, *answer = NULL;
	TRY(asking_list(a, "/providers", "*", &rows));
	TRY(find_row(a, rows, "name", "provider", &provider));
	json_t *body = json_pack("{s:O}", "provider", json_object_get(provider, "id"));
	struct result result = asking_carry_all(a, members, sizeof members / sizeof *members, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", "/remote-machines", body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "machine %" STR_FMT " is requested\n", STR_ARG(asking_arg(a, "name")));
	return OK;
}

/* ---- metrics ---- */

static RESULT show_metrics(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	json_t *point = NULL;
	size_t k = 0;
	enum { AT, CPU, MEMORY, RECEIVED, SENT, READ = 7, WRITTEN };
	int64_t from_us = clock_now_us() - 48 * HOUR;
	TRY(find_machine(a, &row));
	TRY(asking_read(a, asking_path(a, "/remote-machines", row, "/metrics"),
			str_print(a->c->arena, "from=%" PRId64 "&step=300", from_us).p, &answer));
	buf_print(&a->text, "%-20s %7s %14s %14s %14s %14s %14s\n", "until", "cpu %", "memory",
		  "received B/s", "sent B/s", "read B/s", "written B/s");
	json_array_foreach (json_object_get(answer, "points"), k, point) {
		char text[CLOCK_TEXT_SIZE];
		(void) clock_write_s(json_integer_value(json_array_get(point, AT)), text);
		buf_print(&a->text, "%-20s %7.2f", text, json_number_value(json_array_get(point, CPU)));
		static const int columns[] = {MEMORY, RECEIVED, SENT, READ, WRITTEN};
		for (size_t n = 0; n < sizeof columns / sizeof *columns; n++)
			buf_print(&a->text, " %14" JSON_INTEGER_FORMAT,
				  json_integer_value(json_array_get(point, (size_t) columns[n])));
		buf_add_str(&a->text, STR("\n"));
		(void) json_array_append(a->value, point);
	}
	return OK;
}

/* A price as people read it, such as "7.49 USD"; `none` if it is unknown. */
static struct str month_of_price(const struct asking *a, const json_t *price, const char *none)
{
	char text[MONEY_TEXT_SIZE];
	struct str currency = asking_text(price, "currency");
	if (!json_is_object(price))
		return str_from(none);
	return str_print(a->c->arena, "%s %" STR_FMT,
			 money_write_fixed((money) asking_int(price, "month_micro") * MICRO, 2, text),
			 STR_ARG(currency));
}

static struct str saving_of(const struct asking *a, const json_t *row)
{
	char text[MONEY_TEXT_SIZE];
	const json_t *saves = json_object_get(row, "saves_month_micro");
	if (!saves)
		return STR("unknown");
	return str_print(a->c->arena, "%s",
			 money_write_fixed((money) json_integer_value(saves) * MICRO, 2, text));
}

static void say_mode(struct asking *a, const json_t *mode)
{
	struct str name = asking_text(mode, "mode"), type = asking_text(mode, "type"),
		   price = month_of_price(a, json_object_get(mode, "price"), "unknown"),
		   saving = saving_of(a, mode);
	struct str memory = json_object_get(mode, "memory")
				    ? str_print(a->c->arena, "%" PRId64, asking_int(mode, "memory") >> 20)
				    : STR("-");
	buf_print(&a->text, "%-13.*s %7.2f %6" PRId64 " %8.*s %-16.*s", STR_ARG(name),
		  json_number_value(json_object_get(mode, "cpu_percent")), asking_int(mode, "vcpus"),
		  STR_ARG(memory), STR_ARG(type));
	if (type.n)
		buf_print(&a->text, " %14" STR_FMT " %10" STR_FMT, STR_ARG(price), STR_ARG(saving));
	buf_print(&a->text, "\n");
}

static void say_here(struct asking *a, const json_t *here)
{
	struct str type = asking_text(here, "type"),
		   price = month_of_price(a, json_object_get(here, "price"), "an unknown price"),
		   saving = saving_of(a, here);
	if (!type.n)
		return;
	buf_print(&a->text, "In this region: %" STR_FMT ", %" STR_FMT " a month; it saves %" STR_FMT ".\n",
		  STR_ARG(type), STR_ARG(price), STR_ARG(saving));
}

static RESULT show_console(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	TRY(find_machine(a, &row));
	TRY(asking_read(a, asking_path(a, "/remote-machines", row, "/console"), NULL, &answer));
	struct str url = asking_text(answer, "url");
	buf_print(&a->text, "%" STR_FMT "\n", STR_ARG(url));
	json_decref(a->value);
	a->value = json_deep_copy(answer);
	return a->value ? OK : ctx_no_memory(a->c);
}

static RESULT show_advice(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	json_t *mode = NULL;
	size_t k = 0;
	TRY(find_machine(a, &row));
	TRY(asking_read(a, asking_path(a, "/remote-machines", row, "/advice"), NULL, &answer));
	struct str note = asking_text(answer, "note"), day = asking_text(answer, "decided_on"),
		   type = asking_text(answer, "type"), price_note = asking_text(answer, "price_note"),
		   price = month_of_price(a, json_object_get(answer, "price"), "an unknown price");
	buf_print(&a->text, "Today: %" STR_FMT ", %" STR_FMT " a month.\n", STR_ARG(type), STR_ARG(price));
	buf_print(&a->text, "%-13s %7s %6s %8s %-16s %14s %10s\n", "mode", "cpu %", "vCPUs", "MiB", "type",
		  "a month", "saves");
	json_array_foreach (json_object_get(answer, "advice"), k, mode)
		say_mode(a, mode);
	say_here(a, json_object_get(answer, "here"));
	if (day.n)
		buf_print(&a->text, "The day with the highest use was %" STR_FMT ".\n", STR_ARG(day));
	buf_print(&a->text, "%" STR_FMT "\n", STR_ARG(note));
	if (price_note.n)
		buf_print(&a->text, "%" STR_FMT "\n", STR_ARG(price_note));
	json_decref(a->value);
	a->value = json_deep_copy(answer);
	return a->value ? OK : ctx_no_memory(a->c);
}

#define PROVIDER_NAME                                                                                        \
	{                                                                                                    \
		"name", PARAM_POSITIONAL, true, "The provider's name."                                       \
	}
#define MACHINE_ID                                                                                           \
	{                                                                                                    \
		"id", PARAM_POSITIONAL, true,                                                                \
			"Id of the machine in the other cloud, as `dari remote list` shows it."              \
	}
#define CREDENTIALS(needed)                                                                                  \
	{"login", PARAM_OPTION, needed,                                                                      \
	 "AWS: the access key id. OpenStack: the user, or without --project the id of an application "       \
	 "credential. CloudStack: the API key. Azure: the client id. VMware and Hyper-V: the user."},        \
		{"secret-file", PARAM_OPTION, false,                                                         \
		 "File with the secret key or password; stored encrypted.", .is_path = true},                \
		{"secret-stdin", PARAM_STDIN, false, "Reads the secret from standard input."},               \
		{"ca-file", PARAM_OPTION, false,                                                             \
		 "Certificates in PEM to check the endpoint with, instead of the system's.",                 \
		 .is_path = true},                                                                           \
		{"pin", PARAM_OPTION, false,                                                                 \
		 "SHA-256 of the endpoint's public key, as sha256//BASE64, for a self-signed certificate."}, \
		{"poll-s", PARAM_OPTION, false, "Seconds between two listings; absent: 300."},               \
		{"queue", PARAM_OPTION, false,                                                               \
		 "AWS: URL of a queue of SQS with the account's events from EventBridge, so that changes "   \
		 "show before the next listing; none: no queue any more."},                                  \
	{                                                                                                    \
		"metrics", PARAM_OPTION, false,                                                              \
			"yes or no: reads metrics of its machines once an hour, from AWS and VMware; AWS "   \
			"bills "                                                                             \
			"that."                                                                              \
	}

const struct command remote_commands[] = {
	{"provider add",
	 "Adds another cloud, and lists permissions that its credentials lack.",
	 {{"cloud", PARAM_POSITIONAL, true,
	   "aws (AWS's EC2 API), dari (another Dari, by its EC2 API), openstack, cloudstack, azure, vmware "
	   "(vCenter or an ESXi host) or hyperv (a Windows host or failover cluster)."},
	  PROVIDER_NAME,
	  {"region", PARAM_OPTION, true,
	   "Region of the cloud, such as eu-central-1; CloudStack: name of the zone; VMware: name of the "
	   "datacenter, or all; Hyper-V: host or cluster."},
	  {"endpoint", PARAM_OPTION, false,
	   "URL of the API, of OpenStack that of Keystone, of VMware that of vCenter or of an ESXi host, "
	   "of Hyper-V that of a host's WinRM (default: the cloud's public one)."},
	  {"project", PARAM_OPTION, false,
	   "OpenStack: the user's project. Azure: the subscription's id. Hyper-V: folder of template "
	   "disks on the host, such as C:\\Templates."},
	  {"domain", PARAM_OPTION, false,
	   "OpenStack: the user's domain (default: Default). Azure: the tenant's id."},
	  CREDENTIALS(true),
	  {"account", PARAM_OPTION, false,
	   "Owning account (default: the caller's; required on the server's machine)."}},
	 .ask = add_provider},
	{"provider set",
	 "Changes the credentials or the refresh interval of a provider.",
	 {PROVIDER_NAME, CREDENTIALS(false)},
	 .ask = set_provider},
	{"provider list", "Lists providers, and whether they answer.", {{0}}, .ask = list_providers},
	{"provider show",
	 "Shows a provider, and the permissions that its credentials lack.",
	 {PROVIDER_NAME},
	 .ask = show_provider},
	{"provider refresh",
	 "Lists a provider's machines again, now.",
	 {PROVIDER_NAME,
	  {"accept-loss", PARAM_FLAG, false,
	   "Forgets the machines that the listing lacks, however many they are."}},
	 .ask = refresh_provider},
	{"provider prices",
	 "Loads prices of a provider's instance types, for `dari remote advice`.",
	 {PROVIDER_NAME,
	  {"file", PARAM_POSITIONAL, true,
	   "JSON: AWS's answer to GetProducts or its offer file, Azure's retail prices, or {\"currency\": "
	   "\"EUR\", \"prices\": {\"TYPE\": 0.05}}, by the hour.",
	   .is_path = true},
	  {"region", PARAM_OPTION, false,
	   "Region whose prices of the file count (default: the provider's)."}},
	 .ask = load_prices},
	{"provider share",
	 "Shares a provider with accounts below its owner: sets the whole list.",
	 {PROVIDER_NAME,
	  {"account", PARAM_OPTION, false, "An account, by name, number or id; may be repeated.",
	   .repeats = true},
	  {"acts", PARAM_FLAG, false, "These accounts may also act on machines, and create them."},
	  {"end", PARAM_FLAG, false, "Ends the sharing."}},
	 .ask = share_provider},
	{"provider remove",
	 "Removes a provider. Its machines keep running.",
	 {PROVIDER_NAME},
	 .ask = remove_provider},
	{"remote list",
	 "Lists machines of other clouds.",
	 {{"provider", PARAM_OPTION, false, "Only this provider (default: all)."}},
	 .ask = list_machines},
	{"remote resources",
	 "Lists resources of other clouds, such as networks and images.",
	 {{"provider", PARAM_OPTION, false, "Only this provider (default: all)."},
	  {"type", PARAM_OPTION, false,
	   "Type: image, network, subnet, security_group, volume, snapshot, instance_type, key_pair, "
	   "address, "
	   "host, cluster, datastore, stack or stack_resource (default: all)."},
	  {"of", PARAM_OPTION, false,
	   "Only what belongs to this id, such as the resources of a stack or the subnets of a network."}},
	 .ask = list_resources},
	{"remote metrics",
	 "Shows the metrics of a machine of another cloud for the last two days.",
	 {MACHINE_ID},
	 .ask = show_metrics},
	{"remote advice",
	 "Recommends smaller types for a machine of another cloud, with their prices.",
	 {MACHINE_ID},
	 .ask = show_advice},
	{"remote console",
	 "Prints the link of a machine's page in the console of its cloud.",
	 {MACHINE_ID},
	 .ask = show_console},
	{"remote show", "Shows a machine of another cloud.", {MACHINE_ID}, .ask = show_machine},
	{"remote create",
	 "Creates a machine in another cloud from an image.",
	 {{"name", PARAM_POSITIONAL, true, "Name in the other cloud."},
	  {"provider", PARAM_OPTION, true, "The provider's name."},
	  {"image", PARAM_OPTION, true, "Id of the image in the other cloud."},
	  {"type", PARAM_OPTION, true, "Name of the type in the other cloud."},
	  {"zone", PARAM_OPTION, false, "Name of the zone in the other cloud (default: the cloud chooses)."},
	  {"subnet", PARAM_OPTION, false,
	   "Id of the subnet in the other cloud; OpenStack and CloudStack: id of the network."},
	  {"key", PARAM_OPTION, false, "Name of the key pair in the other cloud."},
	  {"group", PARAM_OPTION, false, "A security group; may be repeated.", .repeats = true},
	  {"tag", PARAM_OPTION, false, "KEY=VALUE; may be repeated.", .repeats = true}},
	 .ask = create_machine},
	{"remote resize",
	 "Changes the type of a machine in another cloud.",
	 {MACHINE_ID, {"type", PARAM_OPTION, true, "Name of the type in the other cloud."}},
	 .ask = act},
	{"remote start", "Starts a machine in another cloud.", {MACHINE_ID}, .ask = act},
	{"remote stop", "Stops a machine in another cloud.", {MACHINE_ID}, .ask = act},
	{"remote reboot", "Reboots a machine in another cloud.", {MACHINE_ID}, .ask = act},
	{"remote terminate",
	 "Terminates a machine in another cloud. This cannot be undone.",
	 {MACHINE_ID},
	 .ask = act},
	{"remote save",
	 "Saves the memory of a machine of Hyper-V or VMware, and stops it.",
	 {MACHINE_ID},
	 .ask = act},
	{"remote snapshot", "Makes a snapshot of a machine in another cloud.", {MACHINE_ID}, .ask = act},
	{"remote tag",
	 "Sets tags of a machine in another cloud.",
	 {MACHINE_ID, {"tag", PARAM_OPTION, true, "KEY=VALUE; may be repeated.", .repeats = true}},
	 .ask = act},
	{0},
};
