/* SPDX-License-Identifier: Apache-2.0
 * The console's own pages, from the program's memory (tools/embed_site.py). Every path without a file is answered
 * with one page, whose script reads the path. The files that it loads are below a folder named by the digest of
 * their content, so browsers cache them for ever and revalidate only the page. */
#include "api/console/site.h"
#include "api/console/internal.h"
#include "api/console_url.h"
#include "site_files.h" /* made of web/ */

#define CONSOLE_TERMINAL "terminal.js"
#define FILES_PREFIX CONSOLE_PREFIX "a/" SITE_HASH "/"

static const struct site_file *find_file(struct str path)
{
	for (const struct site_file *file = site_files; file->path; file++)
		if (str_is(path, file->path))
			return file;
	return NULL;
}

/* True if a list of codings such as "gzip, deflate;q=0.5" accepts gzip. */
static bool takes_gzip(struct str accepted)
{
	struct str one;
	while (str_split_next(&accepted, ',', &one)) {
		struct str coding = STR_NONE, rest = str_trim(one);
		bool has_more = str_split_next(&rest, ';', &coding);
		if (!has_more || !str_equal_nocase(str_trim(coding), STR("gzip")))
			continue;
		return !str_is(str_trim(rest), "q=0") && !str_is(str_trim(rest), "q=0.0");
	}
	return false;
}

/* The pages load nothing from elsewhere, run no text as a program, and no other site may frame them or hold their window. */
static void set_page_headers(struct call *call)
{
	struct str sockets = console_write_sockets(call);
	call_set_answer_header(call, "Content-Security-Policy",
			       str_print(call->ctx.arena,
					 "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
					 "'self' data: blob:; "
					 "font-src 'self'; connect-src 'self'%" STR_FMT
					 "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
					 "require-trusted-types-for 'script'; trusted-types lit-html",
					 STR_ARG(sockets)));
	call_set_answer_header(call, "Cross-Origin-Opener-Policy", STR("same-origin"));
	call_set_answer_header(call, "Cross-Origin-Resource-Policy", STR("same-origin"));
	call_set_answer_header(call, "Referrer-Policy", STR("no-referrer"));
	call_set_answer_header(call, "X-Content-Type-Options", STR("nosniff"));
	call_set_answer_header(call, "Vary", STR("Accept-Encoding"));
}

static void keep(void *arg)
{
	(void) arg; /* the program's own bytes */
}

static void send_file(struct call *call, const struct site_file *file)
{
	bool is_packed = file->packed_size > 0 && takes_gzip(call_header(call, "Accept-Encoding"));
	const struct str piece = is_packed ? (struct str){site_bytes + file->packed_at, file->packed_size}
					   : (struct str){site_bytes + file->at, file->size};
	if (is_packed)
		call_set_answer_header(call, "Content-Encoding", STR("gzip"));
	call_answer_pieces(call, 200, file->type, &piece, 1, keep, NULL);
}

static void send_nothing(struct call *call, int status)
{
	struct buf nothing;
	buf_init(&nothing, 1);
	call_answer(call, status, "text/plain; charset=utf-8", &nothing);
}

/* A path whose last name has a dot is a file's, which is not there. */
static bool is_page_path(struct str path)
{
	size_t from = path.n;
	while (from && path.p[from - 1] != '/')
		from--;
	return str_find_char(path, '.', from) == path.n;
}

static void send_page(struct call *call, const struct site_file *page)
{
	static const struct str tag = {"\"" SITE_HASH "\"", sizeof SITE_HASH + 1};
	set_page_headers(call);
	call_set_answer_header(call, "Cache-Control", STR("no-cache"));
	call_set_answer_header(call, "ETag", tag);
	struct str none = call_header(call, "If-None-Match");
	if (str_is(str_trim(none), "*") || str_contains(none, tag))
		send_nothing(call, 304);
	else
		send_file(call, page);
}

/* For the page of a serial port, which is no part of the pages and has no other way to know where they are. */
static void lead_to_terminal(struct call *call)
{
	call_set_answer_header(call, "Location", STR(FILES_PREFIX CONSOLE_TERMINAL));
	call_set_answer_header(call, "Cache-Control", STR("no-cache"));
	send_nothing(call, 302);
}

void console_send_site(struct call *call)
{
	static const struct str files = {FILES_PREFIX, sizeof FILES_PREFIX - 1};
	const struct site_file *page = find_file(STR("index.html"));
	const struct site_file *file = str_starts_with(call->path, files)
					       ? find_file(str_slice(call->path, files.n, call->path.n))
					       : NULL;
	if (str_is(call->path, CONSOLE_PREFIX CONSOLE_TERMINAL) && find_file(STR(CONSOLE_TERMINAL))) {
		lead_to_terminal(call);
	} else if (file && file != page) {
		set_page_headers(call);
		call_set_answer_header(call, "Cache-Control", STR("public, max-age=31536000, immutable"));
		send_file(call, file);
	} else if (!page && is_page_path(call->path)) {
		console_answer_words(
			call, 404,
			STR("This dari was built without its pages: there was no npm to fetch what "
			    "they stand on. Its APIs lack nothing."));
	} else if (str_starts_with(call->path, STR(CONSOLE_PREFIX "a/")) || !is_page_path(call->path)) {
		console_answer_words(call, 404, STR("There is no such page."));
	} else {
		send_page(call, page);
	}
}

/* ---- people who type the endpoint's address ---- */

bool console_is_visit(const struct call *call)
{
	return SITE_FILES > 0 && (call->method == HTTP_GET || call->method == HTTP_HEAD) &&
	       (str_is(call->path, "/") || str_is(call->path, "/console")) && !call->query.n &&
	       !call_header(call, "Authorization").p &&
	       (str_is(call->path, "/console") ||
		str_contains(call_header(call, "Accept"), STR("text/html")));
}

void console_lead_in(struct call *call)
{
	call->action = "console:page";
	call_set_answer_header(call, "Location", STR(CONSOLE_PREFIX));
	call_set_answer_header(call, "Cache-Control", STR("no-store"));
	send_nothing(call, 302);
}
