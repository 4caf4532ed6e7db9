/* SPDX-License-Identifier: Apache-2.0
 * dari subscriptions …: products that need licences, entitlements, licences of images and instances, and
 * changes of their source. Reports are in report.c. */
#include <inttypes.h>

#include "auth/key/key.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/subscriptions/subscriptions.h"
#include "engine/licence/mapping.h"
#include "store/account.h"
#include "store/condition.h"
#include "store/domain.h"
#include "store/entitlement.h"
#include "store/image.h"
#include "store/product.h"
#include "store/subscription_server.h"

static const char *const source_words[] = {"included", "byos", "spla", NULL};
enum { FILE_CAP = 32768 };

static const char *const dialect_words[] = {"satellite", "candlepin", NULL};
static const char *const place_words[] = {"shared", "dedicated", NULL};
static const char *const choice_words[] = {"yes", "no", NULL};

/* ---- parameters ---- */

/* Splits a comma-separated list. */
static RESULT list_arg(struct command_call *call, const char *name, struct strs *ret_list)
{
	struct str rest = command_arg(call, name), piece;
	struct str *texts = arena_new_array(call->ctx.arena, struct str, LICENCES_MAX + 1);
	if (!texts)
		return ctx_no_memory(&call->ctx);
	*ret_list = (struct strs){texts, 0};
	while (str_split_next(&rest, ',', &piece) && ret_list->count <= LICENCES_MAX)
		if (piece.n)
			texts[ret_list->count++] = str_trim(piece);
	return OK;
}

RESULT command_scope_args(struct command_call *call, struct ref *ret_account, struct ref *ret_domain)
{
	struct str domain = command_arg(call, "domain");
	*ret_domain = domain.n ? (struct ref){.kind = KIND_DOMAIN, .text = domain, .field = STR("domain")}
			       : (struct ref){0};
	*ret_account = command_account_ref(call, command_arg(call, "account"), "account");
	return OK;
}

static RESULT time_arg(struct command_call *call, const char *name, int64_t *ret_us)
{
	struct str text = command_arg(call, name);
	*ret_us = 0;
	if (!text.n || result_is_ok(clock_parse(text, ret_us)))
		return OK;
	return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
			      "--%s wants a time as 2026-11-01T00:00:00Z, not %" STR_FMT, name,
			      STR_ARG(text));
}

/* ---- products ---- */

static RESULT product_set(struct command_call *call)
{
	int metric = 0, sold = 0;
	TRY(command_word_arg(call, "metric", product_metric_words, -1, &metric));
	TRY(command_word_arg(call, "sold", choice_words, -1, &sold));
	struct product_wish wish = {.name = command_arg(call, "name"),
				    .title = command_arg(call, "title"),
				    .vendor = command_arg(call, "vendor"),
				    .sets_metric = metric >= 0,
				    .metric = metric >= 0 ? (enum product_metric) metric : 0,
				    .is_sold = sold < 0    ? CHOICE_DEFAULT
					       : sold == 0 ? CHOICE_YES
							   : CHOICE_NO};
	TRY(command_commit(call, "dari:subscriptions product", engine_set_product_run, &wish));
	buf_print(&call->text, "product %" STR_FMT " was set\n", STR_ARG(wish.name));
	return OK;
}

static void say_product(struct command_call *call, const struct tables *t, struct str name)
{
	struct product_seen p;
	if (!engine_find_product(t, name, &p))
		return;
	buf_print(&call->text, "%-24.*s %-12s %-5s %.*s, %.*s\n", STR_ARG(p.name),
		  product_metric_words[p.metric], p.is_sold ? "sold" : "-", STR_ARG(p.title),
		  STR_ARG(p.vendor));
	(void) json_array_append_new(
		call->value, json_pack("{s:s%, s:s%, s:s%, s:s, s:b}", "name", p.name.p, p.name.n, "title",
				       p.title.p, p.title.n, "vendor", p.vendor.p, p.vendor.n, "metric",
				       product_metric_words[p.metric], "sold", (int) p.is_sold));
}

static RESULT list_products(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-24s %-12s %-5s %s\n", "product", "counted by", "sold", "title, vendor");
	for (size_t k = 0; k < product_info_count; k++)
		say_product(call, view.tables, str_from(product_infos[k].name));
	for (const struct product *p = product_first(view.tables); p; p = product_next(view.tables, p))
		if (!product_info_find(p->name))
			say_product(call, view.tables, p->name);
	return OK;
}

/* ---- entitlements ---- */

static RESULT entitle(struct command_call *call)
{
	int source = 0, metric = 0, place = 0;
	struct entitlement_wish wish = {.product = command_arg(call, "product"),
					.reference = command_arg(call, "reference")};
	TRY(command_word_arg(call, "source", source_words, LICENCE_BYOS, &source));
	TRY(command_word_arg(call, "metric", product_metric_words, -1, &metric));
	TRY(command_word_arg(call, "where", place_words, 0, &place));
	TRY(command_int_arg(call, "quantity", 0, 1, INT64_C(1000000000), &wish.quantity));
	TRY(command_scope_args(call, &wish.account, &wish.domain));
	TRY(time_arg(call, "from", &wish.from_us));
	TRY(time_arg(call, "until", &wish.until_us));
	wish.source = (enum licence_source) source;
	wish.sets_metric = metric >= 0;
	wish.metric = metric >= 0 ? (enum product_metric) metric : 0;
	wish.needs_dedicated = place == 1;
	TRY(command_commit(call, "dari:subscriptions entitle", engine_add_entitlement_run, &wish));
	struct str id = uuid_to_str(call->ctx.arena, wish.entitlement);
	buf_print(&call->text, "%" STR_FMT "\n", STR_ARG(id));
	call->value = json_pack("{s:s%}", "id", id.p, id.n);
	return OK;
}

static RESULT end_entitlement(struct command_call *call)
{
	struct entitlement_end wish = {0};
	TRY(command_id_arg(call, "id", KIND_ENTITLEMENT, &wish.entitlement));
	TRY(command_commit(call, "dari:subscriptions end", engine_end_entitlement_run, &wish));
	buf_print(&call->text, "it held until now\n");
	return OK;
}

struct str command_scope_text(struct arena *a, const struct tables *t, uuid account, uuid domain)
{
	const struct account *of = account_find(t, account);
	const struct domain *in = domain_find(t, domain);
	if (!uuid_is_none(account))
		return of ? str_print(a, "account %" STR_FMT, STR_ARG(of->number))
			  : str_print(a, "account %" STR_FMT, STR_ARG(uuid_to_str(a, account)));
	if (uuid_is_none(domain))
		return STR("everybody");
	return in ? str_print(a, "domain %" STR_FMT, STR_ARG(in->name))
		  : str_print(a, "domain %" STR_FMT, STR_ARG(uuid_to_str(a, domain)));
}

static void say_entitlement(struct command_call *call, const struct tables *t, const struct entitlement *e)
{
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE] = "-";
	struct str scope = command_scope_text(call->ctx.arena, t, e->account, e->domain);
	struct str id = uuid_to_str(call->ctx.arena, e->row.id);
	(void) clock_write_s(e->from_us, from);
	if (e->until_us)
		(void) clock_write_s(e->until_us, until);
	buf_print(&call->text, "%" STR_FMT "  %-22.*s %-5s %8" PRId64 " %-12s %-9s %-26.*s %s %s %.*s\n",
		  STR_ARG(id), STR_ARG(e->product), entitlement_source_words[e->source], e->quantity,
		  entitlement_metric_words[e->metric], entitlement_place_words[e->place], STR_ARG(scope),
		  from, until, STR_ARG(e->reference));
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s%, s:s, s:I, s:s, s:s, s:s%, s:s, s:s, s:s%}", "id", id.p, id.n,
			  "product", e->product.p, e->product.n, "source",
			  entitlement_source_words[e->source], "quantity", (json_int_t) e->quantity, "metric",
			  entitlement_metric_words[e->metric], "where", entitlement_place_words[e->place],
			  "for", scope.p, scope.n, "from", from, "until", e->until_us ? until : "",
			  "reference", e->reference.p ? e->reference.p : "", e->reference.n));
}

static RESULT list_entitlements(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct entitlement *e = entitlement_first(view.tables); e;
	     e = entitlement_next(view.tables, e))
		if (row_is_live(&e->row))
			say_entitlement(call, view.tables, e);
	return OK;
}

/* ---- images and instances ---- */

static RESULT license_image(struct command_call *call)
{
	struct image_licensing wish = {0};
	TRY(command_id_arg(call, "image", KIND_IMAGE, &wish.image));
	TRY(list_arg(call, "licences", &wish.licences));
	TRY(command_commit(call, "dari:subscriptions image", engine_license_image_run, &wish));
	buf_print(&call->text, "instances that are launched from it have these licences from now on\n");
	return OK;
}

static RESULT convert(struct command_call *call)
{
	struct licence_conversion wish = {0};
	TRY(command_id_arg(call, "instance", KIND_INSTANCE, &wish.instance));
	TRY(engine_read_licences(&call->ctx, command_arg(call, "to"), &wish.licences));
	TRY(command_commit(call, "dari:subscriptions convert", engine_convert_licences_run, &wish));
	buf_print(&call->text, "converted; what its guest is registered with is its owner's affair\n");
	return OK;
}

/* ---- reports to subscription servers ---- */

/* Reads a file named by the caller; empty: none named. */
static RESULT file_arg(struct command_call *call, const char *name, struct str *ret_text)
{
	struct str path = command_arg(call, name);
	*ret_text = STR_NONE;
	return path.n ? file_read(&call->ctx, str_to_z(call->ctx.arena, path), FILE_CAP, ret_text) : OK;
}

static RESULT server_add(struct command_call *call)
{
	int dialect = 0;
	struct str secret = STR_NONE, reporter = command_arg(call, "reporter");
	struct subscription_server_wish wish = {.name = command_arg(call, "name"),
						.url = command_arg(call, "url"),
						.organisation = command_arg(call, "organisation"),
						.user = command_arg(call, "user"),
						.reporter = reporter.n ? reporter : STR("dari"),
						.id = uuid_random()};
	TRY(command_word_arg(call, "kind", dialect_words, 0, &dialect));
	TRY(command_scope_args(call, &wish.account, &wish.domain));
	TRY(file_arg(call, "certificate-file", &wish.certificate));
	TRY(file_arg(call, "authority-file", &wish.authority));
	TRY(file_arg(call, "secret-file", &secret));
	wish.is_candlepin = dialect == 1;
	secret = wish.user.n ? str_trim(secret) : secret;
	if ((wish.user.n || wish.certificate.n) && !secret.n)
		return ctx_fail_field(&call->ctx, ERR_MISSING, STR("secret-file"),
				      "--secret-file names the file with the password, or with the "
				      "certificate's key");
	if (secret.n)
		TRY(key_seal(&call->ctx, call->daemon->master_key, wish.id, secret, &wish.secret));
	if (secret.n)
		crypto_wipe((void *) secret.p, secret.n);
	TRY(command_commit(call, "dari:subscriptions server-add", engine_add_subscription_server_run, &wish));
	buf_print(&call->text, "%" STR_FMT " is told which guests are on which hosts\n", STR_ARG(wish.name));
	return OK;
}

static RESULT server_remove(struct command_call *call)
{
	struct subscription_server_target wish = {.name = command_arg(call, "name")};
	TRY(command_commit(call, "dari:subscriptions server-remove", engine_remove_subscription_server_run,
			   &wish));
	buf_print(&call->text, "%" STR_FMT " is told nothing any more\n", STR_ARG(wish.name));
	return OK;
}

static void say_server(struct command_call *call, const struct tables *t, const struct subscription_server *s)
{
	char told[CLOCK_TEXT_SIZE] = "never";
	struct str scope = command_scope_text(call->ctx.arena, t, s->of_account, s->of_domain);
	const struct condition *c = condition_first_by_subject(t, s->row.id);
	if (s->told_us)
		(void) clock_write_s(s->told_us, told);
	buf_print(&call->text,
		  "%-16.*s %-10s %" STR_FMT "  %" STR_FMT "  guests of %" STR_FMT "  told %s%s\n",
		  STR_ARG(s->name), subscription_server_dialect_words[s->dialect], STR_ARG(s->url),
		  STR_ARG(s->organisation), STR_ARG(scope), told, s->job.n ? ", takes a newer one in" : "");
	if (c)
		buf_print(&call->text, "      %" STR_FMT "\n", STR_ARG(c->message));
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s, s:s%, s:s%, s:s%, s:s, s:s%, s:s%}", "name", s->name.p, s->name.n,
			  "kind", subscription_server_dialect_words[s->dialect], "url", s->url.p, s->url.n,
			  "organisation", s->organisation.p, s->organisation.n, "for", scope.p, scope.n,
			  "told", s->told_us ? told : "", "job", s->job.p ? s->job.p : "", s->job.n,
			  "problem", c ? c->message.p : "", c ? c->message.n : 0));
}

static RESULT server_list(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct subscription_server *s = subscription_server_first(view.tables); s;
	     s = subscription_server_next(view.tables, s))
		if (row_is_live(&s->row))
			say_server(call, view.tables, s);
	return OK;
}

#define SCOPE_PARAMS                                                                                         \
	{"account", PARAM_OPTION, false, "Account, by number or name."},                                     \
	{                                                                                                    \
		"domain", PARAM_OPTION, false, "Domain whose accounts are meant, by name."                   \
	}

const struct command subscriptions_commands[] = {
	{"subscriptions products",
	 "Lists products that need a licence.",
	 {{0}},
	 .run = list_products,
	 .is_anywhere = true},
	{"subscriptions product",
	 "Defines a product, and whether the region sells it by the hour.",
	 {{"name", PARAM_POSITIONAL, true, "Name of the product, such as rhel."},
	  {"title", PARAM_OPTION, false, "Title of the product."},
	  {"vendor", PARAM_OPTION, false, "Vendor of the product."},
	  {"metric", PARAM_OPTION, false,
	   "Unit that licences count: instance, vcpu, core, socket-pair or user."},
	  {"sold", PARAM_OPTION, false,
	   "yes: accounts may use it as included software, with the vendor's agreement; or no."}},
	 .run = product_set,
	 .is_anywhere = true},
	{"subscriptions entitle",
	 "Records licences owned for an account, a domain, or everybody.",
	 {{"product", PARAM_POSITIONAL, true, "Product, such as rhel."},
	  {"quantity", PARAM_OPTION, true, "Number of licences."},
	  {"source", PARAM_OPTION, false, "byos, or spla (default: byos)."},
	  {"metric", PARAM_OPTION, false, "Counted unit (default: the product's)."},
	  {"where", PARAM_OPTION, false,
	   "dedicated: guests run on dedicated hosts only, which placement enforces (default: shared)."},
	  {"from", PARAM_OPTION, false, "Start, such as 2026-11-01T00:00:00Z (default: now)."},
	  {"until", PARAM_OPTION, false, "End (default: none)."},
	  {"reference", PARAM_OPTION, false, "Number of the contract."},
	  SCOPE_PARAMS},
	 .run = entitle,
	 .is_anywhere = true},
	{"subscriptions entitlements",
	 "Lists entitlements.",
	 {{0}},
	 .run = list_entitlements,
	 .is_anywhere = true},
	{"subscriptions end",
	 "Ends an entitlement now.",
	 {{"id", PARAM_POSITIONAL, true, "Its id."}},
	 .run = end_entitlement,
	 .is_anywhere = true},
	{"subscriptions image",
	 "Sets which licences an image needs, and who provides them.",
	 {{"image", PARAM_POSITIONAL, true, "The image's id."},
	  {"licences", PARAM_POSITIONAL, false,
	   "PRODUCT:SOURCE, comma separated, such as rhel:included,rhel-ha:included (default: none)."}},
	 .run = license_image,
	 .is_anywhere = true},
	{"subscriptions convert",
	 "Changes the source of an instance's licences while it runs.",
	 {{"instance", PARAM_POSITIONAL, true, "The instance's id."},
	  {"to", PARAM_OPTION, true,
	   "New source: included, byos or spla for all products; or PRODUCT:SOURCE, comma separated."}},
	 .run = convert,
	 .is_anywhere = true},
	{"subscriptions server-add",
	 "Adds a Satellite or Candlepin server that is told which guests run on which hosts.",
	 {{"name", PARAM_POSITIONAL, true, "Name of the server here."},
	  {"url", PARAM_OPTION, true, "URL, such as https://satellite.example.com."},
	  {"organisation", PARAM_OPTION, true, "Key of the organisation on the server."},
	  {"kind", PARAM_OPTION, false, "satellite, or candlepin (default: satellite)."},
	  {"user", PARAM_OPTION, false, "User name on the server."},
	  {"secret-file", PARAM_OPTION, false,
	   "A file on the server's machine with the password, or with the certificate's key.",
	   .is_path = true},
	  {"certificate-file", PARAM_OPTION, false, "The certificate of a consumer that is registered there.",
	   .is_path = true},
	  {"authority-file", PARAM_OPTION, false, "CA certificate of the server (default: the system's).",
	   .is_path = true},
	  {"reporter", PARAM_OPTION, false, "Name of the region on the server (default: dari)."},
	  SCOPE_PARAMS},
	 .run = server_add,
	 .is_anywhere = true},
	{"subscriptions server-remove",
	 "Removes a subscription server.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."}},
	 .run = server_remove,
	 .is_anywhere = true},
	{"subscriptions servers",
	 "Lists subscription servers, and when they last accepted a report.",
	 {{0}},
	 .run = server_list,
	 .is_anywhere = true},
	{0},
};
