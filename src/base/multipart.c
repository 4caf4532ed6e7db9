/* SPDX-License-Identifier: Apache-2.0
 * A delimiter is a line break, two hyphens and the boundary. As a boundary contains no line break, a failed
 * partial match can't contain the beginning of another delimiter. */
#include "base/multipart.h"

#include <string.h>

/* ---- the boundary ---- */

static bool is_boundary(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (s.p[k] < ' ' || s.p[k] > '~')
			return false;
	return s.n > 0 && s.n <= MULTIPART_BOUNDARY_MAX;
}

static struct str find_boundary(struct str content_type)
{
	struct str rest = content_type, word = STR_NONE;
	(void) str_split_next(&rest, ';', &word);
	if (!str_equal_nocase(str_trim(word), STR("multipart/form-data")))
		return STR_NONE;
	while (str_split_next(&rest, ';', &word)) {
		struct str value = str_trim(word), name = STR_NONE;
		(void) str_split_next(&value, '=', &name);
		if (!str_equal_nocase(name, STR("boundary")))
			continue;
		bool is_quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
		return is_quoted ? str_slice(value, 1, value.n - 1) : value;
	}
	return STR_NONE;
}

bool multipart_begin(struct multipart *m, struct str content_type)
{
	static const char before[] = "\r\n--";
	struct str boundary = find_boundary(content_type);
	*m = (struct multipart){.matched = 2}; /* the first delimiter may lack its line break */
	if (!is_boundary(boundary))
		return false;
	memcpy(m->delimiter, before, sizeof before - 1);
	memcpy(m->delimiter + sizeof before - 1, boundary.p, boundary.n);
	m->delimiter_size = sizeof before - 1 + boundary.n;
	return true;
}

/* ---- heads ---- */

static bool is_files(struct str head)
{
	struct str line = STR_NONE;
	const struct str disposition = STR("content-disposition:");
	while (str_split_next(&head, '\n', &line)) {
		struct str rest = str_slice(line, disposition.n, line.n), word = STR_NONE;
		if (!str_equal_nocase(str_slice(line, 0, disposition.n), disposition))
			continue;
		while (str_split_next(&rest, ';', &word)) {
			struct str value = str_trim(word), name = STR_NONE;
			(void) str_split_next(&value, '=', &name);
			if (str_equal_nocase(name, STR("filename")) ||
			    str_equal_nocase(name, STR("filename*")))
				return true;
		}
	}
	return false;
}

/* Reads the text after a delimiter: two hyphens after the last one; otherwise a line break, headers, and an
 * empty line. */
static RESULT read_head(struct multipart *m, struct str *bytes)
{
	while (bytes->n) {
		if (m->head_size == sizeof m->head)
			return FAIL(INVALID);
		m->head[m->head_size++] = bytes->p[0];
		*bytes = str_slice(*bytes, 1, bytes->n);
		if (m->head_size == 2 && memcmp(m->head, "--", 2) == 0) {
			m->at = MULTIPART_END;
			return OK;
		}
		if (m->head_size < 4 || memcmp(m->head + m->head_size - 4, "\r\n\r\n", 4) != 0)
			continue;
		bool is_file = !m->has_file && is_files((struct str){m->head, m->head_size});
		m->at = is_file ? MULTIPART_FILE : MULTIPART_FIELD;
		m->matched = 0;
		return ++m->parts > MULTIPART_PARTS_MAX ? FAIL(INVALID) : OK;
	}
	return OK;
}

/* ---- bodies ---- */

static RESULT give(const struct multipart *m, struct str bytes, multipart_take *take, void *arg)
{
	return m->at == MULTIPART_FILE && bytes.n ? take(arg, bytes) : OK;
}

/* Skips to the next possible delimiter. */
static RESULT skip(struct multipart *m, struct str *bytes, multipart_take *take, void *arg)
{
	const char *found = memchr(bytes->p, '\r', bytes->n);
	size_t n = found ? (size_t) (found - bytes->p) : bytes->n;
	TRY(give(m, str_slice(*bytes, 0, n), take, arg));
	*bytes = str_slice(*bytes, n + (found != NULL), bytes->n);
	m->matched = found != NULL;
	return OK;
}

static RESULT read_body(struct multipart *m, struct str *bytes, multipart_take *take, void *arg)
{
	while (bytes->n && m->matched < m->delimiter_size) {
		if (m->matched == 0) {
			TRY(skip(m, bytes, take, arg));
		} else if (bytes->p[0] == m->delimiter[m->matched]) {
			*bytes = str_slice(*bytes, 1, bytes->n);
			m->matched++;
		} else {
			TRY(give(m, (struct str){m->delimiter, m->matched}, take, arg));
			m->matched = 0;
		}
	}
	if (m->matched < m->delimiter_size)
		return OK;
	m->has_file = m->has_file || m->at == MULTIPART_FILE;
	m->at = MULTIPART_HEAD;
	m->head_size = 0;
	return OK;
}

RESULT multipart_add(struct multipart *m, struct str bytes, multipart_take *take, void *arg)
{
	while (bytes.n && m->at != MULTIPART_END)
		TRY(m->at == MULTIPART_HEAD ? read_head(m, &bytes) : read_body(m, &bytes, take, arg));
	return OK;
}

bool multipart_has_file(const struct multipart *m)
{
	return m->at == MULTIPART_END && m->has_file;
}
