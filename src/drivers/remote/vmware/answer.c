/* SPDX-License-Identifier: Apache-2.0
 * Answers of vSphere's web services: see answer.h. Source: vSphere Web Services API reference 8.0. */
#include "drivers/remote/vmware/answer.h"

#include <stdio.h>

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define VIM "urn:vim25"
#define BODY "Body/"
enum { WORDS_MAX = 512, NAME_MAX_SIZE = 64, PROPERTY_MAX = 64, TOKEN_MAX = 1024, WANTED_TEXT_MAX = 1024 };

/* ---- answers of a method ---- */

struct walking {
	struct ctx *c;
	struct str element; /* "Body/LoginResponse" */
	const struct xml_visitor *visitor;
	bool has_answer;
};

/* The path below the answer's element. False: elsewhere. */
static bool is_below(const struct walking *w, struct str path, struct str *ret_below)
{
	if (!str_starts_with(path, w->element) || (path.n > w->element.n && path.p[w->element.n] != '/'))
		return false;
	*ret_below = str_slice(path, w->element.n + 1, path.n);
	return true;
}

/* The envelope's elements are SOAP's, the answer's element is of the API. */
static RESULT mark(void *self, struct str path, const struct xml_marks *marks)
{
	struct walking *w = self;
	struct str below = STR_NONE;
	bool is_outer = !path.n || str_is(path, "Body");
	bool is_answer = str_equal(path, w->element);
	if (is_outer && !str_is(marks->space, SOAP))
		return remote_fail_answer(w->c, "it is no envelope of SOAP 1.1");
	if (is_answer && !str_is(marks->space, VIM))
		return remote_fail_answer(w->c, "it is of another API");
	w->has_answer |= is_answer;
	return w->visitor->mark && is_below(w, path, &below)
		       ? w->visitor->mark(w->visitor->self, below, marks)
		       : OK;
}

static RESULT enter(void *self, struct str path)
{
	struct walking *w = self;
	struct str below = STR_NONE;
	return is_below(w, path, &below) ? w->visitor->enter(w->visitor->self, below) : OK;
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct walking *w = self;
	struct str below = STR_NONE;
	return is_below(w, path, &below) ? w->visitor->leave(w->visitor->self, below, text) : OK;
}

RESULT vmware_walk(struct ctx *c, struct str text, const char *method, const struct xml_visitor *visitor)
{
	struct str root = STR_NONE;
	struct walking w = {
		.c = c, .element = str_print(c->arena, BODY "%sResponse", method), .visitor = visitor};
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){&w, enter, leave, mark}, &root));
	if (!str_is(root, "Envelope") || !w.has_answer)
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is none of %s.", method);
	return OK;
}

/* ---- single texts ---- */

struct picking {
	struct ctx *c;
	const struct vmware_texts *texts;
};

static RESULT pass(void *self, struct str path)
{
	(void) self, (void) path;
	return OK;
}

static RESULT pick(void *self, struct str path, struct str text)
{
	struct picking *p = self;
	if (!text.n || text.n > WANTED_TEXT_MAX || !str_is_line(text))
		return OK;
	for (size_t k = 0; k < p->texts->count; k++)
		if (!p->texts->ret_texts[k].n && str_is(path, p->texts->paths[k]))
			p->texts->ret_texts[k] = str_copy(p->c->arena, text);
	return OK;
}

RESULT vmware_read_texts(struct ctx *c, struct str text, const char *method, const struct vmware_texts *texts)
{
	struct picking p = {c, texts};
	for (size_t k = 0; k < texts->count; k++)
		texts->ret_texts[k] = STR_NONE;
	return vmware_walk(c, text, method, &(struct xml_visitor){&p, pass, pick, NULL});
}

/* ---- objects ---- */

#define OBJECT "returnval/objects"
#define PROPERTY OBJECT "/propSet"
#define VALUE PROPERTY "/val"

struct reading {
	struct ctx *c;
	const struct vmware_visitor *visitor;
	struct vmware_page *page;
	char type[NAME_MAX_SIZE + 1];         /* managed object type */
	char property[PROPERTY_MAX + 1];      /* name of the property that is being read; empty: unknown */
	char element_type[NAME_MAX_SIZE + 1]; /* xsi:type of the element that begins */
};

static void keep(char *place, size_t size, struct str text)
{
	(void) snprintf(place, size, "%" STR_FMT, STR_ARG(str_cut(text, size - 1)));
}

/* The type without its namespace's prefix. */
static struct str local_of(struct str type)
{
	size_t colon = str_find_char(type, ':', 0);
	return colon < type.n ? str_slice(type, colon + 1, type.n) : type;
}

static bool is_in_value(struct str path, struct str *ret_below)
{
	struct str value = STR(VALUE);
	if (!str_starts_with(path, value) || (path.n > value.n && path.p[value.n] != '/'))
		return false;
	*ret_below = str_slice(path, value.n + 1, path.n);
	return true;
}

static RESULT mark_object(void *self, struct str path, const struct xml_marks *marks)
{
	struct reading *r = self;
	keep(r->element_type, sizeof r->element_type, local_of(marks->xsi_type));
	if (str_is(path, OBJECT "/obj"))
		keep(r->type, sizeof r->type, marks->type);
	if (str_is(path, OBJECT "/missingSet/fault/fault") &&
	    str_is(local_of(marks->xsi_type), "NotAuthenticated"))
		r->page->is_signed_out = true;
	return OK;
}

static RESULT enter_object(void *self, struct str path)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (str_is(path, PROPERTY))
		r->property[0] = '\0';
	return r->visitor->enter && is_in_value(path, &below)
		       ? r->visitor->enter(r->visitor->self, str_from(r->property), below,
					   str_from(r->element_type))
		       : OK;
}

static RESULT leave_object(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (is_in_value(path, &below))
		return r->visitor->value(r->visitor->self, str_from(r->property), below, text);
	if (str_is(path, OBJECT "/obj"))
		return r->visitor->begin(r->visitor->self, str_from(r->type), text);
	if (str_is(path, PROPERTY "/name"))
		keep(r->property, sizeof r->property, text);
	if (str_is(path, OBJECT)) {
		r->page->objects++;
		return r->visitor->end(r->visitor->self);
	}
	if (str_is(path, "returnval/token")) {
		if (text.n > TOKEN_MAX || !str_is_line(text))
			return remote_fail_answer(r->c, "the token of the next page is too long");
		r->page->token = str_copy(r->c->arena, text);
	}
	return OK;
}

RESULT vmware_read_objects(struct ctx *c, struct str text, const char *method,
			   const struct vmware_visitor *visitor, struct vmware_page *ret_page)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	*ret_page = (struct vmware_page){0};
	if (!r)
		return ctx_no_memory(c);
	*r = (struct reading){.c = c, .visitor = visitor, .page = ret_page};
	TRY(vmware_walk(c, text, method, &(struct xml_visitor){r, enter_object, leave_object, mark_object}));
	return ret_page->is_signed_out ? ctx_fail(c, ERR_AGAIN, "The server has ended the session.") : OK;
}

/* ---- faults ---- */

#define DETAIL "Body/Fault/detail/"

struct judging {
	struct ctx *c;
	struct vmware_fault *fault;
	struct str type;
};

static RESULT mark_fault(void *self, struct str path, const struct xml_marks *marks)
{
	struct judging *j = self;
	struct str name = str_slice(path, sizeof DETAIL - 1, path.n), type = local_of(marks->xsi_type);
	bool is_detail = str_starts_with(path, STR(DETAIL)) && str_find_char(name, '/', 0) == name.n;
	if (!is_detail || j->fault->name.n)
		return OK;
	if (!type.n)
		type = str_ends_with(name, STR("Fault")) ? str_slice(name, 0, name.n - 5) : name;
	j->fault->name = str_copy(j->c->arena, str_cut(type, NAME_MAX_SIZE));
	return OK;
}

static RESULT leave_fault(void *self, struct str path, struct str text)
{
	struct judging *j = self;
	struct str inner = str_slice(path, sizeof DETAIL - 1, path.n);
	size_t slash = str_find_char(inner, '/', 0);
	struct str field = str_slice(inner, slash + 1, inner.n);
	bool is_field = str_starts_with(path, STR(DETAIL)) && slash < inner.n && text.n;
	if (str_is(path, "Body/Fault/faultstring"))
		j->fault->words = str_clean(j->c->arena, str_cut(text, WORDS_MAX), true);
	if (is_field && str_is(field, "privilegeId"))
		j->fault->privilege = str_clean(j->c->arena, str_cut(text, NAME_MAX_SIZE), true);
	if (is_field && str_is(field, "obj"))
		j->fault->object = str_clean(j->c->arena, str_cut(text, NAME_MAX_SIZE), true);
	return OK;
}

RESULT vmware_read_fault(struct ctx *c, struct str text, struct vmware_fault *ret_fault)
{
	struct str root = STR_NONE;
	struct judging j = {.c = c, .fault = ret_fault};
	*ret_fault = (struct vmware_fault){0};
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){&j, pass, leave_fault, mark_fault}, &root));
	return str_is(root, "Envelope") && (ret_fault->name.n || ret_fault->words.n)
		       ? OK
		       : remote_fail_answer(c, "it is neither an answer nor a fault");
}

enum err vmware_err_of_fault(struct str name)
{
	static const struct {
		const char *name;
		enum err err;
	} known[] = {{"InvalidLogin", ERR_UNAUTHENTICATED},
		     {"NotAuthenticated", ERR_AGAIN},
		     {"NoPermission", ERR_DENIED},
		     {"RestrictedVersion", ERR_UNSUPPORTED},
		     {"ManagedObjectNotFound", ERR_NOT_FOUND},
		     {"NotFound", ERR_NOT_FOUND},
		     {"InvalidPowerState", ERR_STATE},
		     {"InvalidState", ERR_STATE},
		     {"InvalidHostState", ERR_STATE},
		     {"ToolsUnavailable", ERR_STATE},
		     {"HostNotConnected", ERR_STATE},
		     {"TaskInProgress", ERR_AGAIN},
		     {"ResourceInUse", ERR_AGAIN},
		     {"ConcurrentAccess", ERR_AGAIN},
		     {"HostCommunication", ERR_AGAIN},
		     {"HostNotReachable", ERR_AGAIN},
		     {"Timedout", ERR_AGAIN},
		     {"RequestCanceled", ERR_AGAIN},
		     {"SystemError", ERR_AGAIN},
		     {"DuplicateName", ERR_EXISTS},
		     {"NotSupported", ERR_UNSUPPORTED},
		     {"NotImplemented", ERR_UNSUPPORTED},
		     {"MethodNotFound", ERR_UNSUPPORTED}};
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (str_is(name, known[k].name))
			return known[k].err;
	return ERR_INVALID;
}

RESULT vmware_fail(struct ctx *c, const struct vmware_fault *fault, enum err err)
{
	struct str words = fault->words.n ? fault->words : STR("The cloud refuses the request.");
	if (fault->privilege.n)
		return ctx_fail(c, err, "%" STR_FMT " (%" STR_FMT ": %" STR_FMT ")", STR_ARG(words),
				STR_ARG(fault->name), STR_ARG(fault->privilege));
	return fault->name.n
		       ? ctx_fail(c, err, "%" STR_FMT " (%" STR_FMT ")", STR_ARG(words), STR_ARG(fault->name))
		       : ctx_fail(c, err, "%" STR_FMT, STR_ARG(words));
}
