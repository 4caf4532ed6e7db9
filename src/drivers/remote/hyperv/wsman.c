/* SPDX-License-Identifier: Apache-2.0
 * Requests of WS-Management: see wsman.h. Sources: DSP0226, MS-WSMV. */
#include "drivers/remote/hyperv/wsman.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/xml.h"
#include "drivers/remote/hyperv/wsman_sign_in.h"

enum { REQUEST_MAX = 256 * 1024, PULLS_MAX = 1000, ELEMENTS = 500, ENVELOPE_MAX = 512000 };
#define ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
#define WMI "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
#define ANONYMOUS "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

/* ---- the server ---- */

/* True if the URL names a port. A port that is the scheme's default is left out of struct remote_url. */
static bool has_port(struct str endpoint, struct str host)
{
	size_t bracket = str_find_char(host, ']', 0);
	bool is_in_host = str_find_char(host, ':', bracket < host.n ? bracket : 0) < host.n;
	return is_in_host ||
	       str_contains(endpoint, str_is(str_slice(endpoint, 0, 5), "http:") ? STR(":80") : STR(":443"));
}

RESULT wsman_open(struct wsman_link *l, struct ctx *c, struct remote *r, struct str host)
{
	struct remote_url url;
	*l = (struct wsman_link){.c = c, .r = r, .end_us = clock_steady_us() + r->timeout_us};
	TRY(remote_parse_url(c, r->endpoint, &url));
	bool is_http = str_is(url.scheme, "http");
	struct str port = STR_NONE;
	if (!has_port(r->endpoint, url.host))
		port = is_http ? STR(":5985") : STR(":5986");
	struct str server = url.host;
	if (host.n) { /* the port of the endpoint, with another name */
		size_t bracket = str_find_char(url.host, ']', 0);
		size_t colon = str_find_char(url.host, ':', bracket < url.host.n ? bracket : 0);
		server = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(host),
				   STR_ARG(str_slice(url.host, colon, url.host.n)));
	}
	l->url =
		str_print(c->arena, "%" STR_FMT "://%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(url.scheme),
			  STR_ARG(server), STR_ARG(port), STR_ARG(url.path.n > 1 ? url.path : STR("/wsman")));
	return l->url.p ? OK : ctx_no_memory(c);
}

/* ---- writing ---- */

/* A header of a request. resource: path below the URI of WMI; NULL: none. */
struct header {
	struct str action;
	struct str resource;
	const struct wsman_object *object; /* NULL: none */
};

static void write_selectors(struct buf *b, const struct wsman_object *object)
{
	buf_add_str(b, STR("<w:SelectorSet>"));
	for (size_t k = 0; k < WSMAN_KEYS_MAX && object->keys[k].name; k++) {
		buf_print(b, "<w:Selector Name=\"%s\">", object->keys[k].name);
		xml_escape(b, object->keys[k].text);
		buf_add_str(b, STR("</w:Selector>"));
	}
	buf_add_str(b, STR("</w:SelectorSet>"));
}

static void write_header(struct wsman_link *l, struct buf *b, const struct header *header)
{
	char id[UUID_TEXT_SIZE];
	int64_t left_s = (l->end_us - clock_steady_us()) / SECOND;
	buf_add_str(b, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
			   "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
			   "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
			   "xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" "
			   "xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><s:Header><a:To>"));
	xml_escape(b, l->url);
	buf_print(
		b,
		"</a:To><a:ReplyTo><a:Address s:mustUnderstand=\"true\">" ANONYMOUS
		"</a:Address></a:ReplyTo><w:MaxEnvelopeSize s:mustUnderstand=\"true\">%d</w:MaxEnvelopeSize>"
		"<a:MessageID>uuid:%s</a:MessageID><w:OperationTimeout>PT%d.000S</w:OperationTimeout>"
		"<w:ResourceURI s:mustUnderstand=\"true\">" WMI,
		(int) ENVELOPE_MAX, uuid_write(uuid_random(), id), (int) (left_s > 1 ? left_s : 1));
	xml_escape(b, header->resource);
	buf_add_str(b, STR("</w:ResourceURI><a:Action s:mustUnderstand=\"true\">"));
	xml_escape(b, header->action);
	buf_add_str(b, STR("</a:Action>"));
	if (header->object)
		write_selectors(b, header->object);
	buf_add_str(b, STR("</s:Header><s:Body>"));
}

static struct str end_body(struct buf *b)
{
	buf_add_str(b, STR("</s:Body></s:Envelope>"));
	return buf_str(b);
}

/* ---- answers ---- */

static RESULT judge(struct wsman_link *l, const struct remote_answer *answer)
{
	struct ctx *c = l->c;
	struct wsman_fault fault;
	if (answer->status == 200)
		return OK;
	if (result_is_ok(wsman_read_fault(c, buf_str(&answer->body), &fault)))
		return wsman_fail(c, &fault);
	ctx_clear_problem(c);
	enum err err = remote_err_of_status(answer->status);
	bool is_load = err == ERR_AGAIN || err == ERR_THROTTLED;
	return ctx_fail(c, answer->status >= 400 && is_load ? err : ERR_IO,
			"The server answers with status %d and no fault of WS-Management.", answer->status);
}

/* Sends a request that is whole. */
static RESULT ask(struct wsman_link *l, const struct buf *b, bool only_reads, struct remote_answer *answer)
{
	*answer = (struct remote_answer){0};
	if (b->failed)
		return b->too_large ? ctx_fail(l->c, ERR_INVALID, "The request is too large.")
				    : ctx_no_memory(l->c);
	TRY(wsman_sign_in(l));
	TRY(wsman_post(l, buf_str(b), only_reads, answer));
	return judge(l, answer);
}

static void answer_release(struct remote_answer *answer)
{
	buf_done(&answer->body);
}
#define AUTO_ANSWER __attribute__((cleanup(answer_release))) struct remote_answer

RESULT wsman_identify(struct wsman_link *l, struct str *ret_product)
{
	struct buf b;
	AUTO_ANSWER answer = {0};
	buf_init(&b, REQUEST_MAX);
	buf_add_str(&b, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
			    "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
			    "xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\">"
			    "<s:Header/><s:Body><i:Identify/>"));
	(void) end_body(&b);
	struct result result = ask(l, &b, true, &answer);
	buf_done(&b);
	TRY(result);
	return wsman_read_identity(l->c, buf_str(&answer.body), ret_product);
}

/* ---- enumerations ---- */

static void write_query(struct wsman_link *l, struct buf *b, const struct wsman_query *query)
{
	const struct header header = {STR(ENUMERATION "Enumerate"),
				      str_print(l->c->arena, "%s/*", query->space), NULL};
	write_header(l, b, &header);
	buf_print(b,
		  "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>%d</w:MaxElements><w:Filter "
		  "Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">",
		  (int) ELEMENTS);
	xml_escape(b, query->wql);
	buf_add_str(b, STR("</w:Filter></n:Enumerate>"));
	(void) end_body(b);
}

static void write_pull(struct wsman_link *l, struct buf *b, const struct wsman_query *query,
		       struct str context)
{
	const struct header header = {STR(ENUMERATION "Pull"), str_print(l->c->arena, "%s/*", query->space),
				      NULL};
	write_header(l, b, &header);
	buf_add_str(b, STR("<n:Pull><n:EnumerationContext>"));
	xml_escape(b, context);
	buf_print(b, "</n:EnumerationContext><n:MaxElements>%d</n:MaxElements></n:Pull>", (int) ELEMENTS);
	(void) end_body(b);
}

/* context empty: the first page. A page that is pulled twice loses instances, so that a Pull is sent once. */
static RESULT read_page(struct wsman_link *l, const struct wsman_query *query, struct str context,
			const struct wsman_visitor *visitor, struct wsman_page *ret_page)
{
	struct buf b;
	AUTO_ANSWER answer = {0};
	buf_init(&b, REQUEST_MAX);
	if (context.n)
		write_pull(l, &b, query, context);
	else
		write_query(l, &b, query);
	struct result result = ask(l, &b, !context.n, &answer);
	buf_done(&b);
	TRY(result);
	return wsman_read_page(l->c, buf_str(&answer.body), visitor, ret_page);
}

RESULT wsman_enumerate(struct wsman_link *l, const struct wsman_query *query,
		       const struct wsman_visitor *visitor)
{
	struct wsman_page page = {0};
	size_t count = 0;
	for (size_t pulls = 0; pulls < PULLS_MAX; pulls++) {
		struct str context = page.context;
		TRY(read_page(l, query, context, visitor, &page));
		count += page.count;
		if (count > query->most)
			return ctx_fail(l->c, ERR_IO, "The answer is not usable: more than %zu instances.",
					query->most);
		if (page.is_over)
			return OK;
		/* a page after the first one that is empty brings nothing nearer to the end */
		if (context.n && !page.count)
			return remote_fail_answer(l->c, "an enumeration goes on without instances");
	}
	return remote_fail_answer(l->c, "an enumeration has too many pages");
}

struct finding {
	struct wsman_instance *instance;
	bool is_found;
};

static RESULT take_first(void *self, const struct wsman_instance *i)
{
	struct finding *f = self;
	if (!f->is_found)
		*f->instance = *i;
	f->is_found = true;
	return OK;
}

RESULT wsman_find(struct wsman_link *l, const struct wsman_query *query, const char *const *wanted,
		  struct wsman_instance *ret_instance, bool *ret_is_found)
{
	struct finding f = {.instance = ret_instance};
	ret_instance->count = 0;
	TRY(wsman_enumerate(l, query,
			    &(struct wsman_visitor){.self = &f, .wanted = wanted, .take = take_first}));
	*ret_is_found = f.is_found;
	return OK;
}

struct str wsman_quote(struct ctx *c, struct str text)
{
	struct buf b;
	buf_init(&b, REQUEST_MAX);
	buf_add_char(&b, '\'');
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] == '\'' || text.p[k] == '\\')
			buf_add_char(&b, '\\');
		buf_add_char(&b, text.p[k]);
	}
	buf_add_char(&b, '\'');
	struct str copy = b.failed ? STR_NONE : str_copy(c->arena, buf_str(&b));
	buf_done(&b);
	return copy;
}

/* ---- methods ---- */

static struct str resource_of(struct ctx *c, const struct wsman_object *object)
{
	return str_print(c->arena, "%s/%s", object->space, object->class_name);
}

void wsman_begin(struct wsman_call *q, struct wsman_link *l, const char *method,
		 const struct wsman_object *object)
{
	struct str resource = resource_of(l->c, object);
	const struct header header = {
		str_print(l->c->arena, WMI "%" STR_FMT "/%s", STR_ARG(resource), method), resource, object};
	*q = (struct wsman_call){.link = l, .method = method, .object = *object};
	buf_init(&q->body, REQUEST_MAX);
	write_header(l, &q->body, &header);
	buf_print(&q->body, "<p:%s_INPUT xmlns:p=\"" WMI "%" STR_FMT "\">", method, STR_ARG(resource));
}

void wsman_put(struct wsman_call *q, const char *name, struct str text)
{
	buf_print(&q->body, "<p:%s>", name);
	xml_escape(&q->body, text);
	buf_print(&q->body, "</p:%s>", name);
}

void wsman_put_int(struct wsman_call *q, const char *name, int64_t value)
{
	buf_print(&q->body, "<p:%s>%lld</p:%s>", name, (long long) value, name);
}

void wsman_put_object(struct wsman_call *q, const char *name, const struct wsman_object *object)
{
	buf_print(&q->body,
		  "<p:%s><a:Address>" ANONYMOUS "</a:Address><a:ReferenceParameters><w:ResourceURI>" WMI
		  "%s/%s</w:ResourceURI>",
		  name, object->space, object->class_name);
	write_selectors(&q->body, object);
	buf_print(&q->body, "</a:ReferenceParameters></p:%s>", name);
}

RESULT wsman_invoke(struct wsman_call *q, const char *const *wanted, struct wsman_instance *ret_result)
{
	AUTO_ANSWER answer = {0};
	buf_print(&q->body, "</p:%s_INPUT>", q->method);
	(void) end_body(&q->body);
	struct result result = ask(q->link, &q->body, false, &answer);
	buf_done(&q->body);
	TRY(result);
	return wsman_read_result(q->link->c, buf_str(&answer.body), q->method, wanted, ret_result);
}
