/* SPDX-License-Identifier: Apache-2.0
 * The table, and parsers for listings and checksum files. Both come from foreign servers, so only text in
 * exactly the row's form is accepted. */
#include "model/image_catalogue.h"

#include <string.h>

#include "model/vendor_keys.h"

#define KEY(name, digits) static const struct image_key key_##name = {digits, &page_##name##_asc};
KEY(ubuntu, "D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81")
KEY(almalinux_8, "BC5EDDCADF502C077F1582882AE81E8ACED7258B")
KEY(almalinux_9, "BF18AC2876178908D6E71267D36CB86CB86B3716")
KEY(almalinux_10, "EE6DB7B98F5BF5EDD9DA0DE5DEE5C11CC2A1E572")
KEY(fedora_43, "C6E7F081CF80E13146676E88829B606631645531")
KEY(fedora_44, "36F612DCF27F7D1A48A835E4DBFCF71C6D9F90A6")
#undef KEY

#define VENDOR(name_, title_, account_, base_)                                                               \
	static const struct image_vendor vendor_##name_ = {#name_, title_, account_, base_};
#include "model/image_catalogue.def"
#undef VENDOR

static const struct image_source sources[] = {
#define SOURCE(...) {__VA_ARGS__},
#include "model/image_catalogue.def"
#undef SOURCE
};
enum { SOURCE_COUNT = sizeof sources / sizeof sources[0] };

const struct image_source *image_catalogue(size_t *ret_count)
{
	*ret_count = SOURCE_COUNT;
	return sources;
}

const struct image_source *image_source_find(struct str name)
{
	for (size_t k = 0; k < SOURCE_COUNT; k++)
		if (str_is(name, sources[k].name) || (sources[k].alias && str_is(name, sources[k].alias)))
			return &sources[k];
	return NULL;
}

bool image_vendor_is_account(struct str number)
{
	for (size_t k = 0; k < SOURCE_COUNT; k++)
		if (str_is(number, sources[k].vendor->account))
			return true;
	return false;
}

/* ---- templates ---- */

static struct str with_dots(struct arena *a, struct str version)
{
	struct str copy = str_copy(a, version);
	for (size_t k = 0; copy.p && k < copy.n; k++)
		if (copy.p[k] == '-')
			((char *) copy.p)[k] = '.';
	return copy;
}

struct str image_source_fill(struct arena *a, const struct image_source *s, const char *template, int arch,
			     struct str version)
{
	struct str rest = str_from(template), filled = STR(""), piece = STR_NONE, word = STR_NONE;
	while (str_split_next(&rest, '{', &piece)) {
		filled = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(filled), STR_ARG(piece));
		if (str_is_empty(rest) || !str_split_next(&rest, '}', &word))
			break;
		struct str value = str_is(word, "arch")   ? str_from(s->archs[arch])
				   : str_is(word, "dots") ? with_dots(a, version)
							  : version;
		filled = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(filled), STR_ARG(value));
	}
	return filled;
}

/* ---- versions ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_form(struct str text, const char *form)
{
	size_t at = 0;
	for (; *form; form++) {
		size_t from = at;
		while (*form == '#' && at < text.n && is_digit(text.p[at]))
			at++;
		if (*form == '#' ? at == from : at == text.n || text.p[at++] != *form)
			return false;
	}
	return at == text.n;
}

bool image_source_has_form(const struct image_source *s, struct str version)
{
	for (size_t k = 0; k < 2 && s->versions[k]; k++)
		if (version.n <= IMAGE_VERSION_MAX && has_form(version, s->versions[k]))
			return true;
	return false;
}

/* Takes a run of digits without its leading zeros. */
static struct str take_number(struct str *text)
{
	size_t from = 0, to = 0;
	while (to < text->n && is_digit(text->p[to]))
		to++;
	while (from + 1 < to && text->p[from] == '0')
		from++;
	struct str number = str_slice(*text, from, to);
	*text = str_slice(*text, to, text->n);
	return number;
}

int image_version_compare(struct str a, struct str b)
{
	while (a.n && b.n) {
		if (!is_digit(a.p[0]) || !is_digit(b.p[0])) {
			if (a.p[0] != b.p[0])
				return (unsigned char) a.p[0] < (unsigned char) b.p[0] ? -1 : 1;
			a = str_slice(a, 1, a.n);
			b = str_slice(b, 1, b.n);
			continue;
		}
		struct str left = take_number(&a), right = take_number(&b);
		if (left.n != right.n)
			return left.n < right.n ? -1 : 1;
		int order = str_compare(left, right);
		if (order)
			return order;
	}
	return (a.n > 0) - (b.n > 0);
}

static bool is_of_word(char c)
{
	return str_is_alphanumeric(c) || strchr("._-+", c);
}

/* Takes the next run of file-name characters. */
static bool take_word(struct str *text, struct str *ret_word)
{
	size_t from = 0, to;
	while (from < text->n && (!text->p[from] || !is_of_word(text->p[from])))
		from++;
	for (to = from; to < text->n && text->p[to] && is_of_word(text->p[to]);)
		to++;
	*ret_word = str_slice(*text, from, to);
	*text = str_slice(*text, to, text->n);
	return to > from;
}

struct str image_source_newest(struct arena *a, const struct image_source *s, int arch, struct str listing)
{
	struct str mark = image_source_fill(a, s, s->mark, arch, STR("{")), newest = STR(""), word = STR_NONE;
	struct str before = str_slice(mark, 0, str_find_char(mark, '{', 0));
	struct str after = str_slice(mark, before.n + 1, mark.n);
	while (take_word(&listing, &word)) {
		if (word.n <= before.n + after.n || !str_starts_with(word, before) ||
		    !str_ends_with(word, after))
			continue;
		struct str version = str_slice(word, before.n, word.n - after.n);
		if (image_source_has_form(s, version) && image_version_compare(version, newest) > 0)
			newest = version;
	}
	return newest;
}

/* ---- checksum files ---- */

static bool is_digest(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (!is_digit(text.p[k]) && !strchr("abcdefABCDEF", text.p[k]))
			return false;
	return text.n == 64 || text.n == 128;
}

/* Parses "HASH  NAME", "HASH *NAME" and "HASH  ./NAME". */
static struct str read_line(struct str line, struct str file)
{
	struct str digest = STR_NONE;
	if (!str_split_next(&line, ' ', &digest))
		return STR("");
	line = str_trim(line);
	if (str_starts_with(line, STR("*")))
		line = str_slice(line, 1, line.n);
	if (str_starts_with(line, STR("./")))
		line = str_slice(line, 2, line.n);
	return str_equal(line, file) ? digest : STR("");
}

/* Parses "SHA256 (NAME) = HASH". */
static struct str read_bsd(struct str line, struct str file)
{
	struct str algorithm = STR_NONE, before = STR_NONE, name = STR_NONE;
	if (!str_split_next(&line, '(', &before) || !str_split_next(&line, ')', &name) ||
	    !str_equal(name, file))
		return STR("");
	algorithm = str_trim(before);
	line = str_trim(line);
	struct str digest = str_starts_with(line, STR("=")) ? str_trim(str_slice(line, 1, line.n)) : STR("");
	bool fits = (str_is(algorithm, "SHA256") && digest.n == 64) ||
		    (str_is(algorithm, "SHA512") && digest.n == 128);
	return fits ? digest : STR("");
}

/* Parses a hash alone, or one followed by the file's name. */
static struct str read_bare(struct str line, struct str file)
{
	return str_find_char(line, ' ', 0) < line.n ? read_line(line, file) : line;
}

struct str image_sums_find(struct str sums, enum image_sums_form form, struct str file)
{
	struct str line = STR_NONE, found = STR("");
	while (str_split_next(&sums, '\n', &line)) {
		line = str_trim(line);
		struct str digest = form == IMAGE_SUMS_BSD    ? read_bsd(line, file)
				    : form == IMAGE_SUMS_BARE ? read_bare(line, file)
							      : read_line(line, file);
		if (!is_digest(digest))
			continue;
		if (found.n && !str_equal_nocase(found, digest))
			return STR("");
		found = digest;
	}
	return found;
}
