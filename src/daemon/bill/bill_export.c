/* SPDX-License-Identifier: Apache-2.0
 * dari bill export: a month as FOCUS. Each export is a folder, focus/ACCOUNT/MONTH/RUN/, with parts of
 * compressed CSV, schema.json, data_generator.json, and finally manifest.json, without which an export is
 * incomplete. latest.json next to the folders names the last complete one. */
#include <zlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "daemon/bill/bill.h"
#include "drivers/backup_store.h"
#include "engine/billing/focus_rows.h"
#include "engine/billing/standing.h"
#include "store/domain.h"

enum { ROWS_OF_PART = 1000000, PART_ROOM = 1 << 20, ZLIB_GZIP = 15 + 16 };
#define PART_CAP ((size_t) 1 << 30)

struct export
{
	struct command_call *call;
	struct focus_context context;
	struct backup_store *store;
	struct str folder, account;
	struct buf part; /* uncompressed CSV */
	size_t rows, part_rows, parts;
	json_t *files;
	struct focus_rows from; /* converts charges to rows */
};

static RESULT put_bytes(struct export *x, struct str folder, const char *name, struct str bytes)
{
	struct ctx *c = &x->call->ctx;
	struct str path = str_print(c->arena, "%" STR_FMT "/%s", STR_ARG(folder), name);
	return path.p ? backup_store_put(x->store, c, path, bytes) : ctx_no_memory(c);
}

static RESULT compress_part(struct export *x, struct buf *into)
{
	z_stream z = {.next_in = (Bytef *) x->part.p, .avail_in = (uInt) x->part.size};
	size_t room = 0;
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, ZLIB_GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return ctx_no_memory(&x->call->ctx);
	room = deflateBound(&z, (uLong) x->part.size);
	if (!buf_reserve(into, room)) {
		(void) deflateEnd(&z);
		return ctx_no_memory(&x->call->ctx);
	}
	z.next_out = (Bytef *) into->p;
	z.avail_out = (uInt) room;
	int code = deflate(&z, Z_FINISH);
	into->size = room - z.avail_out;
	(void) deflateEnd(&z);
	return code == Z_STREAM_END ? OK : ctx_fail(&x->call->ctx, ERR_IO, "a part cannot be compressed");
}

/* Checks the columns of the version as written. */
static RESULT check_part(struct export *x)
{
	struct strs faults = {0};
	TRY(focus_check(&x->from.row, x->context.version, buf_str(&x->part), &faults));
	if (!faults.count)
		return OK;
	return ctx_fail(&x->call->ctx, ERR_INTERNAL, "part %zu is no FOCUS: %" STR_FMT, x->parts,
			STR_ARG(faults.at[0]));
}

static RESULT end_part(struct export *x)
{
	struct ctx *c = &x->call->ctx;
	uint8_t digest[SHA256_SIZE];
	char name[64];
	struct buf packed;
	TRY(buf_finish(&x->part));
	TRY(check_part(x));
	buf_init(&packed, PART_CAP);
	struct result result = compress_part(x, &packed);
	(void) snprintf(name, sizeof name, "part-%05zu.csv.gz", x->parts++);
	if (result_is_ok(result))
		result = put_bytes(x, x->folder, name, buf_str(&packed));
	crypto_sha256(buf_str(&packed), digest);
	struct str hex = str_encode_hex(c->arena, digest, sizeof digest);
	(void) json_array_append_new(
		x->files, json_pack("{s:s, s:I, s:I, s:s%}", "name", name, "rows", (json_int_t) x->part_rows,
				    "bytes", (json_int_t) packed.size, "sha256", hex.p ? hex.p : "", hex.n));
	buf_done(&packed);
	x->part.size = 0;
	x->part_rows = 0;
	return result;
}

/* ---- rows ---- */

static struct str json_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return (struct str){json_string_value(value), json_string_length(value)};
}

static RESULT write_row(struct export *x, const struct focus_row *row)
{
	focus_write_row(&x->part, &x->context, row);
	x->rows++;
	return ++x->part_rows == ROWS_OF_PART ? end_part(x) : OK;
}

static RESULT export_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct export *x = arg;
	if (x->account.n && !str_equal(x->account, billed->number))
		return OK;
	if (!x->part_rows)
		focus_write_header(&x->part, x->context.version);
	struct focus_row row;
	TRY(focus_rows_make(&x->from, billed, charge, &row));
	return write_row(x, &row);
}

/* Writes a row for an amount of the invoice itself. */
static RESULT export_amount(struct export *x, const struct kept_invoice *invoice, const json_t *json,
			    enum charge_category category, const char *what, struct str text,
			    struct str amount)
{
	struct charge charge = {.category = category,
				.meter = STR("invoice"),
				.from_s = x->context.month.from_s,
				.until_s = x->context.month.until_s,
				.currency = json_text(json, "currency"),
				.text = text};
	if (!money_read(amount, &charge.amount))
		return ctx_fail(&x->call->ctx, ERR_INTERNAL, "an invoice has no amount");
	if (!charge.amount)
		return OK;
	if (!x->part_rows)
		focus_write_header(&x->part, x->context.version);
	const struct focus_row row = {.charge = &charge,
				      .charge_id = str_print(x->from.row.arena, "invoice/%" STR_FMT "/%s",
							     STR_ARG(invoice->number), what),
				      .billing_id = json_text(json, "payer_id"),
				      .billing_name = json_text(json, "payer"),
				      .invoice = invoice->number,
				      .invoice_detail = str_print(x->from.row.arena, "%" STR_FMT "/%s",
								  STR_ARG(invoice->number), what)};
	return write_row(x, &row);
}

static RESULT export_sums(struct export *x, const struct kept_invoice *invoice, const json_t *json)
{
	json_t *tax = NULL;
	size_t n;
	char what[32];
	struct str reference = json_text(json, "reference");
	arena_reset(x->from.row.arena);
	if (reference.n)
		TRY(export_amount(x, invoice, json, CHARGE_CREDIT, "credit",
				  str_print(x->from.row.arena, "Takes %" STR_FMT " back", STR_ARG(reference)),
				  json_text(json, "net")));
	else
		TRY(export_amount(x, invoice, json, CHARGE_ADJUSTMENT, "rounding", STR("Rounding"),
				  json_text(json, "rounding")));
	json_array_foreach (json_object_get(json, "taxes"), n, tax) {
		(void) snprintf(what, sizeof what, "tax-%zu", n + 1);
		TRY(export_amount(x, invoice, json, CHARGE_TAX, what, json_text(tax, "name"),
				  json_text(tax, "amount")));
	}
	return OK;
}

/* Exports taxes, rounding differences and credit notes: with them, an invoice's rows sum to the amount
 * due. */
static RESULT export_invoices(struct export *x)
{
	for (size_t k = 0; k < x->from.book.invoice_count; k++) {
		const struct kept_invoice *invoice = &x->from.book.invoices[k];
		if (!focus_rows_has(&x->from, invoice))
			continue;
		json_t *json = json_loadb(invoice->json.p, invoice->json.n, 0, NULL);
		struct result result = export_sums(x, invoice, json);
		json_decref(json);
		TRY(result);
	}
	return OK;
}

/* ---- metadata ---- */

static json_t *schema_of(const struct export *x, const char *id)
{
	static const char *const types[] = {"STRING", "DECIMAL", "DATETIME", "JSON"};
	json_t *columns = json_array();
	char at[CLOCK_TEXT_SIZE];
	for (size_t k = 0; k < focus_column_count; k++) {
		const struct focus_column *column = &focus_columns[k];
		json_t *one =
			json_pack("{s:s, s:s}", "ColumnName", column->name, "DataType", types[column->type]);
		if (column->type == FOCUS_DECIMAL) {
			(void) json_object_set_new(one, "NumericPrecision", json_integer(38));
			(void) json_object_set_new(one, "NumberScale", json_integer(12));
		}
		if (column->versions & (1u << x->context.version))
			(void) json_array_append_new(columns, one);
		else
			json_decref(one);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "SchemaId", id, "FocusVersion",
			 x->context.version == FOCUS_1_2 ? "1.2" : "1.4", "CreationDate",
			 clock_write_s(clock_now_us(), at), "DataGeneratorVersion", DARI_VERSION,
			 "ColumnDefinition", columns);
}

static RESULT put_json(struct export *x, struct str folder, const char *name, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	json_decref(json);
	if (!text)
		return ctx_no_memory(&x->call->ctx);
	struct result result = put_bytes(x, folder, name, str_from(text));
	free(text);
	return result;
}

/* Writes FOCUS 1.4's datasets next to the parts: the month, and its invoices' lines. */
static RESULT put_datasets(struct export *x, int64_t closed_us)
{
	struct ctx *c = &x->call->ctx;
	struct buf text;
	size_t count = 0;
	const struct kept_invoice **found =
		arena_new_array(c->arena, const struct kept_invoice *, x->from.book.invoice_count + 1);
	if (!found)
		return ctx_no_memory(c);
	for (size_t k = 0; k < x->from.book.invoice_count; k++)
		if (focus_rows_has(&x->from, &x->from.book.invoices[k]))
			found[count++] = &x->from.book.invoices[k];
	buf_init(&text, PART_CAP);
	struct result result = bill_write_invoice_detail(c, &text, found, count, x->context.month);
	if (result_is_ok(result))
		result = put_bytes(x, x->folder, "invoice_detail.csv", buf_str(&text));
	text.size = 0;
	if (result_is_ok(result))
		result = bill_write_billing_period(c, &text, x->context.month, x->context.issuer, closed_us,
						   clock_now_us());
	if (result_is_ok(result))
		result = put_bytes(x, x->folder, "billing_period.csv", buf_str(&text));
	buf_done(&text);
	return result;
}

static RESULT finish(struct export *x, struct str parent, const char *run, int64_t closed_us)
{
	bool is_final = closed_us != 0;
	const char *schema = x->context.version == FOCUS_1_2 ? "dari-focus-1.2-1" : "dari-focus-1.4-1";
	if (x->part_rows || !x->parts) {
		if (!x->part_rows)
			focus_write_header(&x->part, x->context.version);
		TRY(end_part(x));
	}
	if (x->context.version == FOCUS_1_4 && !x->account.n)
		TRY(put_datasets(x, closed_us));
	TRY(put_json(x, x->folder, "schema.json", schema_of(x, schema)));
	TRY(put_json(x, x->folder, "data_generator.json", json_pack("{s:s}", "DataGenerator", "Dari")));
	TRY(put_json(x, x->folder, "manifest.json",
		     json_pack("{s:s, s:s, s:s, s:I, s:s, s:O}", "run", run, "period", x->context.month.text,
			       "status", is_final ? "final" : "daily", "rows", (json_int_t) x->rows, "schema",
			       schema, "parts", x->files)));
	return put_json(x, parent, "latest.json", json_pack("{s:s}", "run", run));
}

/* ---- the command ---- */

static RESULT read_version(struct command_call *call, enum focus_version *ret_version)
{
	struct str text = command_arg(call, "focus");
	*ret_version = str_is(text, "1.2") ? FOCUS_1_2 : FOCUS_1_4;
	if (!text.n || str_is(text, "1.2") || str_is(text, "1.4"))
		return OK;
	return ctx_fail_field(&call->ctx, ERR_INVALID, STR("focus"),
			      "--focus wants 1.4 or 1.2, not %" STR_FMT, STR_ARG(text));
}

static struct str folder_of(const struct export *x)
{
	if (x->account.n)
		return x->account;
	return uuid_is_none(x->from.payer) ? STR("all") : uuid_to_str(x->call->ctx.arena, x->from.payer);
}

/* Finds the requested billing account and its issuer. */
static RESULT find_payer(struct export *x)
{
	struct command_call *call = x->call;
	struct str name = command_arg(call, "domain");
	uuid id = UUID_NONE;
	if (!name.n)
		return OK;
	bool is_id = result_is_ok(uuid_parse(name, &id));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct domain *d =
		is_id ? domain_find(view.tables, id) : domain_find_by_name(view.tables, name);
	if (!d)
		return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("domain"),
				      "there is no domain %" STR_FMT, STR_ARG(name));
	x->from.payer = d->row.id;
	x->from.issuer = standing_issuer_of(view.tables, d);
	const struct domain *issuer = domain_find(view.tables, x->from.issuer);
	if (issuer)
		x->context.issuer =
			str_copy(call->ctx.arena, issuer->bill_name.n ? issuer->bill_name : issuer->name);
	return OK;
}

static RESULT export_month(struct export *x, struct arena *row, int64_t now_us)
{
	struct command_call *call = x->call;
	struct ctx *c = &call->ctx;
	struct closed_month closed = {0};
	struct billing_query query = {.month = x->context.month, .now_us = now_us};
	char run[CLOCK_TEXT_SIZE];
	clock_write_basic(now_us, run);
	bool is_final = result_is_ok(billing_find_closed(c, call->daemon->store, query.month, &closed));
	ctx_clear_problem(c);
	if (is_final)
		query.now_us = query.as_of_us = closed.run;
	struct str parent =
		str_print(c->arena, "focus/%" STR_FMT "/%s", STR_ARG(folder_of(x)), query.month.text);
	x->folder = str_print(c->arena, "%" STR_FMT "/%s", STR_ARG(parent), run);
	if (!x->folder.p)
		return ctx_no_memory(c);
	query.issuer = x->from.issuer;
	query.bill_to = x->from.payer;
	x->from.month = x->context.month;
	TRY(focus_rows_begin(&x->from, c, call->daemon->store, row));
	TRY(billing_rate_all(c, call->daemon->store, &query, export_charge, NULL, x));
	query.is_elsewhere = query.is_bare = true;
	TRY(billing_rate_all(c, call->daemon->store, &query, export_charge, NULL, x));
	if (!x->account.n)
		TRY(export_invoices(x));
	TRY(finish(x, parent, run, closed.closed_us));
	buf_print(&call->text, "%zu rows in %" STR_FMT "\n", x->rows, STR_ARG(x->folder));
	call->value = json_pack("{s:I, s:s%, s:b}", "rows", (json_int_t) x->rows, "folder", x->folder.p,
				x->folder.n, "final", (int) is_final);
	return OK;
}

/* Opens a folder, a bucket, or a web server with PUT. */
static RESULT open_target(struct command_call *call, const struct backup_target *target,
			  struct backup_store **ret_store)
{
	bool is_web =
		str_starts_with(target->url, STR("http://")) || str_starts_with(target->url, STR("https://"));
	return is_web ? backup_store_new_web(&call->ctx, target->url, ret_store)
		      : backup_store_new(&call->ctx, target, ret_store);
}

RESULT bill_export(struct command_call *call)
{
	struct settings *s = &call->daemon->settings;
	struct backup_target target = s->backup;
	int64_t now_us = clock_now_us();
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, PART_CAP);
	AUTO(backup_store) store = NULL;
	struct export x = {.call = call,
			   .account = command_arg(call, "account"),
			   .context = {.provider = s->region, .issuer = s->region, .region = s->region}};
	TRY(command_month_arg(call, month_of(now_us / SECOND), &x.context.month));
	TRY(read_version(call, &x.context.version));
	TRY(find_payer(&x));
	target.url = command_arg(call, "to");
	TRY(open_target(call, &target, &store));
	if (!arena)
		return ctx_no_memory(&call->ctx);
	x.store = store;
	buf_init(&x.part, PART_CAP);
	x.files = json_array();
	struct result result = export_month(&x, arena, now_us);
	json_decref(x.files);
	buf_done(&x.part);
	return result;
}
