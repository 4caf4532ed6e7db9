/* SPDX-License-Identifier: Apache-2.0
 * Answers of WS-Management: see wsman_answer.h. Sources: DSP0226 (WS-Management), DSP0201 (CIM-XML), MS-WSMV. */
#include "drivers/remote/hyperv/wsman_answer.h"

#include <string.h>

#define SOAP "http://www.w3.org/2003/05/soap-envelope"
#define WMI "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
enum { WORDS_MAX = 512, CODE_MAX = 64, PRODUCT_MAX = 128 };

/* ---- paths ---- */

/* Splits off the first part of a path. */
static struct str first_of(struct str path, struct str *ret_rest)
{
	size_t slash = str_find_char(path, '/', 0);
	*ret_rest = str_slice(path, slash + 1, path.n);
	return str_slice(path, 0, slash);
}

static bool is_below(struct str path, const char *head, struct str *ret_below)
{
	struct str start = str_from(head);
	if (!str_starts_with(path, start))
		return false;
	*ret_below = str_slice(path, start.n, path.n);
	return true;
}

static RESULT pass(void *self, struct str path)
{
	(void) self, (void) path;
	return OK;
}

/* Walks an envelope of SOAP 1.2. */
struct envelope {
	struct ctx *c;
	const struct xml_visitor *inner;
};

static RESULT mark_envelope(void *self, struct str path, const struct xml_marks *marks)
{
	const struct envelope *e = self;
	bool is_outer = !path.n || str_is(path, "Body") || str_is(path, "Body/Fault");
	if (is_outer && !str_is(marks->space, SOAP))
		return remote_fail_answer(e->c, "it is no envelope of SOAP 1.2");
	return e->inner->mark ? e->inner->mark(e->inner->self, path, marks) : OK;
}

static RESULT enter_envelope(void *self, struct str path)
{
	const struct envelope *e = self;
	return e->inner->enter(e->inner->self, path);
}

static RESULT leave_envelope(void *self, struct str path, struct str text)
{
	const struct envelope *e = self;
	return e->inner->leave(e->inner->self, path, text);
}

static RESULT walk(struct ctx *c, struct str text, const struct xml_visitor *inner)
{
	struct str root = STR_NONE;
	struct envelope e = {c, inner};
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){&e, enter_envelope, leave_envelope, mark_envelope},
			    &root));
	return str_is(root, "Envelope") ? OK : remote_fail_answer(c, "it is no envelope of SOAP 1.2");
}

/* ---- instances ---- */

struct str wsman_get(const struct wsman_instance *i, const char *property)
{
	for (size_t k = 0; k < i->count; k++)
		if (strcmp(i->at[k].property, property) == 0)
			return i->at[k].text;
	return STR_NONE;
}

static const char *find_wanted(const char *const *wanted, struct str name)
{
	for (; *wanted; wanted++)
		if (str_is(name, *wanted))
			return *wanted;
	return NULL;
}

static RESULT put(struct ctx *c, struct wsman_instance *i, const char *property, struct str text)
{
	if (!property || !text.n)
		return OK;
	if (i->count == WSMAN_VALUES_MAX)
		return remote_fail_answer(c, "an instance has too many values");
	struct str copy = str_copy(c->arena, text);
	i->at[i->count++] = (struct wsman_value){property, copy};
	return copy.p ? OK : ctx_no_memory(c);
}

/* ---- pages ---- */

struct paging {
	struct ctx *c;
	const struct wsman_visitor *visitor;
	struct wsman_page *page;
	struct wsman_instance instance;
	bool has_answer;
};

/* The path inside of the answer to either request. */
static bool is_in_page(struct str path, struct str *ret_below)
{
	return is_below(path, "Body/EnumerateResponse", ret_below) ||
	       is_below(path, "Body/PullResponse", ret_below);
}

static RESULT mark_page(void *self, struct str path, const struct xml_marks *marks)
{
	struct paging *p = self;
	struct str below = STR_NONE, inner = STR_NONE, rest = STR_NONE;
	if (!is_in_page(path, &below))
		return OK;
	p->has_answer |= !below.n;
	bool is_instance = is_below(below, "/Items/", &inner) && (first_of(inner, &rest), !rest.n);
	if (is_instance && !str_starts_with(marks->space, STR(WMI)))
		return remote_fail_answer(p->c, "it has an object that is no instance of WMI");
	if (is_instance)
		p->instance.count = 0;
	return OK;
}

static RESULT leave_item(struct paging *p, struct str path, struct str text)
{
	struct str below = STR_NONE;
	(void) first_of(path, &below);
	if (!below.n) {
		p->page->count++;
		return p->visitor->take(p->visitor->self, &p->instance);
	}
	struct str inside = STR_NONE, property = first_of(below, &inside);
	if (inside.n && !str_is(inside, "Datetime")) /* text inside a reference or an object */
		return OK;
	if (p->visitor->streamed && str_is(property, p->visitor->streamed))
		return text.n ? p->visitor->stream(p->visitor->self, text) : OK;
	return put(p->c, &p->instance, find_wanted(p->visitor->wanted, property), text);
}

static RESULT leave_page(void *self, struct str path, struct str text)
{
	struct paging *p = self;
	struct str below = STR_NONE, inner = STR_NONE;
	if (!is_in_page(path, &below))
		return OK;
	if (is_below(below, "/Items/", &inner))
		return leave_item(p, inner, text);
	if (str_is(below, "/EndOfSequence"))
		p->page->is_over = true;
	if (!str_is(below, "/EnumerationContext") || !text.n)
		return OK;
	if (text.n > WSMAN_CONTEXT_MAX)
		return remote_fail_answer(p->c, "the token of a page is too long");
	p->page->context = str_copy(p->c->arena, text);
	return OK;
}

RESULT wsman_read_page(struct ctx *c, struct str text, const struct wsman_visitor *visitor,
		       struct wsman_page *ret_page)
{
	struct paging *p = arena_new_object(c->arena, struct paging);
	*ret_page = (struct wsman_page){0};
	if (!p)
		return ctx_no_memory(c);
	*p = (struct paging){.c = c, .visitor = visitor, .page = ret_page};
	TRY(walk(c, text, &(struct xml_visitor){p, pass, leave_page, mark_page}));
	if (!p->has_answer)
		return remote_fail_answer(c, "it is no page of an enumeration");
	return ret_page->is_over || ret_page->context.n
		       ? OK
		       : remote_fail_answer(c, "it has neither an end nor a token of the next page");
}

/* ---- results of methods ---- */

struct resulting {
	struct ctx *c;
	struct str head; /* "Body/RequestStateChange_OUTPUT" */
	const char *const *wanted;
	struct wsman_instance *result;
	struct str selector; /* name of the selector that is being read */
	bool has_answer;
};

static RESULT mark_result(void *self, struct str path, const struct xml_marks *marks)
{
	struct resulting *r = self;
	if (str_equal(path, r->head)) {
		r->has_answer = true;
		if (!str_starts_with(marks->space, STR(WMI)))
			return remote_fail_answer(r->c, "it is no result of a method of WMI");
	}
	if (str_ends_with(path, STR("/Selector")))
		r->selector = str_copy(r->c->arena, str_cut(marks->name, CODE_MAX));
	return OK;
}

static RESULT leave_result(void *self, struct str path, struct str text)
{
	struct resulting *r = self;
	struct str inside = STR_NONE;
	if (!str_starts_with(path, r->head) || path.n == r->head.n)
		return OK;
	struct str below = str_slice(path, r->head.n + 1, path.n), property = first_of(below, &inside);
	if (str_ends_with(inside, STR("/Selector"))) { /* selector of a reference: "Job.InstanceID" */
		struct str name = str_print(r->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(property),
					    STR_ARG(r->selector));
		return put(r->c, r->result, find_wanted(r->wanted, name), text);
	}
	return inside.n ? OK : put(r->c, r->result, find_wanted(r->wanted, property), text);
}

RESULT wsman_read_result(struct ctx *c, struct str text, const char *method, const char *const *wanted,
			 struct wsman_instance *ret_result)
{
	struct resulting r = {.c = c,
			      .head = str_print(c->arena, "Body/%s_OUTPUT", method),
			      .wanted = wanted,
			      .result = ret_result};
	ret_result->count = 0;
	TRY(walk(c, text, &(struct xml_visitor){&r, pass, leave_result, mark_result}));
	return r.has_answer ? OK : ctx_fail(c, ERR_IO, "The answer is not usable: it is none of %s.", method);
}

/* ---- Identify ---- */

struct identifying {
	struct ctx *c;
	struct str product;
	bool has_answer;
};

static RESULT leave_identity(void *self, struct str path, struct str text)
{
	struct identifying *i = self;
	if (str_is(path, "Body/IdentifyResponse"))
		i->has_answer = true;
	if (str_is(path, "Body/IdentifyResponse/ProductVersion"))
		i->product = str_clean(i->c->arena, str_cut(text, PRODUCT_MAX), true);
	return OK;
}

RESULT wsman_read_identity(struct ctx *c, struct str text, struct str *ret_product)
{
	struct identifying i = {.c = c};
	TRY(walk(c, text, &(struct xml_visitor){&i, pass, leave_identity, NULL}));
	*ret_product = i.product;
	return i.has_answer ? OK : remote_fail_answer(c, "it is no answer to Identify");
}

/* ---- faults ---- */

struct judging {
	struct ctx *c;
	struct wsman_fault *fault;
	bool is_fault;
};

static RESULT mark_fault(void *self, struct str path, const struct xml_marks *marks)
{
	struct judging *j = self;
	j->is_fault |= str_is(path, "Body/Fault");
	if (str_ends_with(path, STR("/WSManFault")) && !j->fault->code.n)
		j->fault->code = str_clean(j->c->arena, str_cut(marks->code, CODE_MAX), true);
	return OK;
}

static RESULT leave_fault(void *self, struct str path, struct str text)
{
	struct judging *j = self;
	struct wsman_fault *fault = j->fault;
	struct arena *a = j->c->arena;
	if (str_is(path, "Body/Fault/Code/Subcode/Value")) {
		size_t colon = str_find_char(text, ':', 0);
		struct str name = colon < text.n ? str_slice(text, colon + 1, text.n) : text;
		fault->subcode = str_clean(a, str_cut(name, CODE_MAX), true);
	}
	if (str_is(path, "Body/Fault/Reason/Text") && !fault->words.n)
		fault->words = str_clean(a, str_cut(text, WORDS_MAX), true);
	/* WMI's code, if there is one, says more than WinRM's. */
	if (str_ends_with(path, STR("/MSFT_WmiError/error_Code")) && text.n)
		fault->code = str_clean(a, str_cut(text, CODE_MAX), true);
	return OK;
}

RESULT wsman_read_fault(struct ctx *c, struct str text, struct wsman_fault *ret_fault)
{
	struct judging j = {.c = c, .fault = ret_fault};
	*ret_fault = (struct wsman_fault){0};
	TRY(walk(c, text, &(struct xml_visitor){&j, pass, leave_fault, mark_fault}));
	return j.is_fault ? OK : remote_fail_answer(c, "it is no fault");
}

enum err wsman_err_of_fault(const struct wsman_fault *fault)
{
	/* codes first: subcodes are general */
	static const struct {
		const char *word;
		enum err err;
	} known[] = {{"5", ERR_DENIED},
		     {"2147749891", ERR_DENIED},      /* WBEM_E_ACCESS_DENIED */
		     {"2147749890", ERR_NOT_FOUND},   /* WBEM_E_NOT_FOUND */
		     {"2147749902", ERR_UNSUPPORTED}, /* WBEM_E_INVALID_NAMESPACE */
		     {"2147749904", ERR_UNSUPPORTED}, /* WBEM_E_INVALID_CLASS */
		     {"2147749934", ERR_UNSUPPORTED}, /* WBEM_E_INVALID_METHOD */
		     /* ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER: no such namespace or class */
		     {"2150858778", ERR_UNSUPPORTED},
		     {"2150858752", ERR_NOT_FOUND}, /* ERROR_WSMAN_RESOURCE_NOT_FOUND: no such object */
		     {"AccessDenied", ERR_DENIED},
		     {"TimedOut", ERR_AGAIN},
		     {"QuotaLimit", ERR_THROTTLED},
		     {"InternalError", ERR_AGAIN},
		     {"Concurrency", ERR_AGAIN},
		     {"InvalidEnumerationContext", ERR_AGAIN},
		     {"EndpointUnavailable", ERR_AGAIN},
		     {"UnsupportedFeature", ERR_UNSUPPORTED},
		     {"ActionNotSupported", ERR_UNSUPPORTED},
		     {"EncodingLimit", ERR_IO}};
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (str_is(fault->code, known[k].word) || str_is(fault->subcode, known[k].word))
			return known[k].err;
	return ERR_INVALID;
}

RESULT wsman_fail(struct ctx *c, const struct wsman_fault *fault)
{
	struct str words = fault->words.n ? fault->words : fault->subcode;
	return ctx_fail(c, wsman_err_of_fault(fault), "The server says: %" STR_FMT " (%" STR_FMT ").",
			STR_ARG(words.n ? words : STR("no reason")),
			STR_ARG(fault->code.n ? fault->code : fault->subcode));
}

/* ---- instances as texts ---- */

struct embedding {
	struct ctx *c;
	const char *const *wanted;
	struct wsman_instance *instance;
	const char *property;
};

static RESULT mark_embedded(void *self, struct str path, const struct xml_marks *marks)
{
	struct embedding *e = self;
	if (str_is(path, "PROPERTY") || str_is(path, "PROPERTY.ARRAY"))
		e->property = find_wanted(e->wanted, marks->cim_name);
	return OK;
}

static RESULT leave_embedded(void *self, struct str path, struct str text)
{
	struct embedding *e = self;
	bool is_value = str_is(path, "PROPERTY/VALUE") || str_is(path, "PROPERTY.ARRAY/VALUE.ARRAY/VALUE");
	return is_value ? put(e->c, e->instance, e->property, text) : OK;
}

RESULT wsman_read_embedded(struct ctx *c, struct str text, const char *const *wanted,
			   struct wsman_instance *ret_instance)
{
	struct str root = STR_NONE;
	struct embedding e = {.c = c, .wanted = wanted, .instance = ret_instance};
	ret_instance->count = 0;
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){&e, pass, leave_embedded, mark_embedded}, &root));
	return str_is(root, "INSTANCE") ? OK : remote_fail_answer(c, "it is no instance of CIM-XML");
}
