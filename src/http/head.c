/* SPDX-License-Identifier: Apache-2.0
 * Checks the head of a request against RFC 9112: a proxy in front of us that reads it differently would
 * enable request smuggling. */
#include "http/head.h"

/* Optional whitespace of RFC 9110, 5.6.3. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str head_trim(struct str value)
{
	while (value.n && is_blank(value.p[value.n - 1]))
		value.n--;
	while (value.n && is_blank(value.p[0]))
		value = str_slice(value, 1, value.n);
	return value;
}

bool head_is_token(struct str name)
{
	static const char more[] = "!#$%&'*+-.^_`|~";
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && (!name.p[k] || !strchr(more, name.p[k])))
			return false;
	return name.n > 0;
}

/* RFC 9110, 5.5: NUL, CR and LF are dangerous; other control characters except tab are invalid. */
static bool is_value(struct str value)
{
	for (size_t k = 0; k < value.n; k++) {
		unsigned char c = (unsigned char) value.p[k];
		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}

bool head_fields_are_valid(const struct header *headers, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (!head_is_token(headers[k].name) || !is_value(headers[k].value))
			return false;
	return true;
}

/* Offset behind the NULs that replaced CR LF; 0: something else is there. */
static size_t skip_line_end(struct str head, size_t at)
{
	return at + 2 <= head.n && !head.p[at] && !head.p[at + 1] ? at + 2 : 0;
}

/* Offset behind "method NUL target NUL HTTP/1.1" and its line end. Uses the target's size, since the parser
 * also put NULs into the target where it split arguments. */
static size_t skip_request_line(struct str head, struct str target)
{
	size_t at = strnlen(head.p, head.n) + 1;
	if (target.p != head.p + at || target.n + strlen("_HTTP/1.1") > head.n - at || head.p[at + target.n])
		return 0;
	at += target.n + 1;
	/* Any minor version: RFC 9110, 2.5 says to process a higher one as the highest that is known, here HTTP/1.1.
	 * The parser refuses what is no digit, and other major versions. */
	if (memcmp(head.p + at, "HTTP/1.", strlen("HTTP/1.")) != 0)
		return 0;
	return skip_line_end(head, at + strlen("HTTP/1.1"));
}

/* Offset behind the header if it stands at `at` on a line of its own; else 0. */
static size_t skip_field(struct str head, size_t at, const struct header *h)
{
	size_t n = h->name.n;
	if (h->name.p != head.p + at || n >= head.n - at || h->name.p[n])
		return 0;
	at += n + 1;
	while (at < head.n && is_blank(head.p[at]) && head.p + at != h->value.p)
		at++;
	if (h->value.p != head.p + at || h->value.n > head.n - at)
		return 0;
	return skip_line_end(head, at + h->value.n);
}

bool head_is_whole(struct str head, struct str target, const struct header *headers, size_t count)
{
	size_t at = skip_request_line(head, target);
	for (size_t k = 0; k < count && at; k++)
		at = skip_field(head, at, &headers[k]);
	return at && skip_line_end(head, at) == head.n;
}
