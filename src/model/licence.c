/* SPDX-License-Identifier: Apache-2.0
 * Known products, and the faces' words for licences. */
#include "model/licence.h"

#include <stdio.h>
#include <string.h>

enum { EC2_DIGIT_BITS = 5, EC2_DIGIT_COUNT = 4 };
#define EC2_DIGITS(a, b, c, d)                                                                               \
	((uint32_t) (a) << 15 | (uint32_t) (b) << 10 | (uint32_t) (c) << 5 | (uint32_t) (d))

#define EC2_WINDOWS EC2_DIGITS(0, 0, 0, 2)
#define EC2_WINDOWS_OWN EC2_DIGITS(0, 8, 0, 0)

const struct product_info product_infos[] = {
#define PRODUCT(name, title, vendor, metric, included, own, code, own_code, azure_own, azure_included,       \
		distro)                                                                                      \
	{name, title,    vendor,    PRODUCT_METRIC_##metric, included, own,                                  \
	 code, own_code, azure_own, azure_included,          distro},
#include "model/products.def"
#undef PRODUCT
};
const size_t product_info_count = sizeof product_infos / sizeof *product_infos;

const char *const licence_source_words[LICENCE_SOURCES + 1] = {
	[LICENCE_INCLUDED] = "included", [LICENCE_BYOS] = "byos", [LICENCE_SPLA] = "spla"};

const struct product_info *product_info_find(struct str name)
{
	for (size_t k = 0; k < product_info_count; k++)
		if (str_is(name, product_infos[k].name))
			return &product_infos[k];
	return NULL;
}

bool licence_is_product_name(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-' && name.p[k] != '.')
			return false;
	return name.n >= 1 && name.n <= PRODUCT_NAME_MAX;
}

bool licence_parse_source(struct str word, enum licence_source *ret_source)
{
	for (enum licence_source s = 0; s < LICENCE_SOURCES; s++)
		if (str_is(word, licence_source_words[s])) {
			*ret_source = s;
			return true;
		}
	return false;
}

bool licence_read(struct str text, struct licence *ret_licence)
{
	struct str rest = text;
	return str_split_next(&rest, ':', &ret_licence->product) &&
	       licence_is_product_name(ret_licence->product) &&
	       licence_parse_source(rest, &ret_licence->source);
}

struct str licence_write(struct arena *a, struct licence licence)
{
	return str_print(a, "%" STR_FMT ":%s", STR_ARG(licence.product),
			 licence_source_words[licence.source]);
}

bool licence_find(struct strs licences, struct str product, struct licence *ret_licence)
{
	for (size_t k = 0; k < licences.count; k++)
		if (licence_read(licences.at[k], ret_licence) && str_equal(ret_licence->product, product))
			return true;
	return false;
}

const char *licence_band(int64_t vcpus)
{
	return vcpus <= LICENCE_BAND_SMALL ? "small" : "large";
}

/* ---- EC2's words ---- */

static uint32_t ec2_flags(struct strs licences, bool is_windows)
{
	struct licence l;
	uint32_t flags = 0;
	for (size_t k = 0; k < licences.count; k++) {
		const struct product_info *p =
			licence_read(licences.at[k], &l) ? product_info_find(l.product) : NULL;
		if (p)
			flags |= l.source == LICENCE_INCLUDED ? p->ec2_included : p->ec2_own;
	}
	return is_windows && !(flags & (EC2_WINDOWS | EC2_WINDOWS_OWN)) ? flags | EC2_WINDOWS_OWN : flags;
}

static const char *say(char out[static LICENCE_EC2_SIZE], const char *words)
{
	(void) snprintf(out, LICENCE_EC2_SIZE, "%s", words);
	return out;
}

const char *licence_ec2_operation(struct strs licences, bool is_windows, char out[static LICENCE_EC2_SIZE])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint32_t flags = ec2_flags(licences, is_windows);
	char text[EC2_DIGIT_COUNT + 1] = "";
	if (!flags)
		return say(out, "RunInstances");
	for (size_t k = 0; k < EC2_DIGIT_COUNT; k++)
		text[k] = digits[flags >> (EC2_DIGIT_BITS * (EC2_DIGIT_COUNT - 1 - k)) & 31];
	(void) snprintf(out, LICENCE_EC2_SIZE, "RunInstances:%s", text);
	return out;
}

/* The value of a digit of an operation; -1: it is none. */
static int ec2_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

static bool read_ec2_flags(struct str operation, uint32_t *ret_flags)
{
	struct str prefix = STR("RunInstances:");
	*ret_flags = 0;
	if (!str_starts_with(operation, prefix) || operation.n != prefix.n + EC2_DIGIT_COUNT)
		return false;
	for (size_t k = prefix.n; k < operation.n; k++) {
		int digit = ec2_digit(operation.p[k]);
		if (digit < 0)
			return false;
		*ret_flags = *ret_flags << EC2_DIGIT_BITS | (uint32_t) digit;
	}
	return true;
}

bool licence_of_ec2_operation(struct arena *a, struct str operation, struct strs *ret_licences)
{
	uint32_t flags = 0;
	struct str *list = arena_new_array(a, struct str, LICENCES_MAX);
	*ret_licences = (struct strs){list, 0};
	if (!list || !read_ec2_flags(operation, &flags))
		return false;
	for (size_t k = 0; k < product_info_count && ret_licences->count < LICENCES_MAX; k++) {
		const struct product_info *p = &product_infos[k];
		bool is_own = p->ec2_own && (flags & p->ec2_own) == p->ec2_own;
		bool is_included = p->ec2_included && (flags & p->ec2_included) == p->ec2_included;
		if (str_is(str_from(p->name), "windows-client")) /* has the flags of Windows Server */
			continue;
		if (is_own || is_included)
			list[ret_licences->count++] =
				licence_write(a, (struct licence){str_from(p->name),
								  is_own ? LICENCE_BYOS : LICENCE_INCLUDED});
	}
	return ret_licences->count > 0;
}

static const struct {
	uint32_t flags;
	const char *words;
} systems[] =
	{
		{EC2_DIGITS(0, 0, 1, 0), "Red Hat Enterprise Linux"},
		{EC2_DIGITS(0, 0, 16, 0), "Red Hat BYOL Linux"},
		{EC2_DIGITS(0, 0, 0, 16), "SUSE Linux"},
		{EC2_DIGITS(0, 16, 0, 0), "Ubuntu Pro"},
		{EC2_WINDOWS, "Windows"},
		{EC2_WINDOWS_OWN, "Windows BYOL"},
},
  editions[] = {
	  {EC2_DIGITS(0, 1, 0, 0), "SQL Server Enterprise"},
	  {EC2_DIGITS(0, 0, 0, 4), "SQL Server Standard"},
	  {EC2_DIGITS(0, 2, 0, 0), "SQL Server Web"},
};

const char *licence_ec2_platform(struct strs licences, bool is_windows, char out[static LICENCE_EC2_SIZE])
{
	uint32_t flags = ec2_flags(licences, is_windows);
	bool has_ha = flags & EC2_DIGITS(1, 0, 0, 0);
	const char *system = NULL, *edition = NULL;
	for (size_t k = 0; k < sizeof systems / sizeof *systems && !system; k++)
		system = flags & systems[k].flags ? systems[k].words : NULL;
	for (size_t k = 0; k < sizeof editions / sizeof *editions && !edition; k++)
		edition = flags & editions[k].flags ? editions[k].words : NULL;
	if (!system)
		return say(out, edition ? edition : "Linux/UNIX");
	if (!edition && !has_ha)
		return say(out, system);
	(void) snprintf(out, LICENCE_EC2_SIZE, "%s with %s%s%s", system, edition ? edition : "",
			edition && has_ha ? " and " : "", has_ha ? "HA" : "");
	return out;
}

const char *licence_ec2_code(struct licence licence)
{
	const struct product_info *p = product_info_find(licence.product);
	const char *code = !p ? "" : licence.source == LICENCE_INCLUDED ? p->ec2_code : p->ec2_own_code;
	return *code ? code : NULL;
}

bool licence_of_ec2_code(struct str code, struct licence *ret_licence)
{
	for (size_t k = 0; k < product_info_count && code.n; k++) {
		const struct product_info *p = &product_infos[k];
		bool is_own = str_is(code, p->ec2_own_code);
		if (!is_own && !str_is(code, p->ec2_code))
			continue;
		*ret_licence = (struct licence){str_from(p->name), is_own ? LICENCE_BYOS : LICENCE_INCLUDED};
		return true;
	}
	return false;
}

/* ---- Azure's ---- */

const char *licence_azure_type(struct strs licences)
{
	struct licence l;
	for (size_t k = 0; k < licences.count; k++) {
		const struct product_info *p =
			licence_read(licences.at[k], &l) ? product_info_find(l.product) : NULL;
		if (p && l.source != LICENCE_INCLUDED && *p->azure_own)
			return p->azure_own;
	}
	return "";
}

bool licence_of_azure_type(struct str word, struct licence *ret_licence)
{
	for (size_t k = 0; k < product_info_count && word.n; k++) {
		const struct product_info *p = &product_infos[k];
		bool is_own = str_equal_nocase(word, str_from(p->azure_own));
		if (!is_own && !str_equal_nocase(word, str_from(p->azure_included)))
			continue;
		*ret_licence = (struct licence){str_from(p->name), is_own ? LICENCE_BYOS : LICENCE_INCLUDED};
		return true;
	}
	return false;
}

const struct product_info *product_info_of_distro(struct str distro)
{
	for (size_t k = 0; k < product_info_count && distro.n; k++)
		if (str_is(distro, product_infos[k].distro))
			return &product_infos[k];
	return NULL;
}

const struct product_info *product_info_of_title(struct str name)
{
	const struct product_info *found = NULL;
	for (size_t k = 0; k < product_info_count; k++) {
		struct str title = str_from(product_infos[k].title);
		if (str_starts_with(name, title) && (!found || title.n > strlen(found->title)))
			found = &product_infos[k];
	}
	return found;
}

bool licence_read_word(struct arena *a, struct str word, const struct product_info *product,
		       struct strs *ret_licences)
{
	struct licence alone;
	struct str rest = word, piece;
	struct str *texts = arena_new_array(a, struct str, LICENCES_MAX + 1);
	*ret_licences = (struct strs){texts, 0};
	if (!texts)
		return false;
	if (product && licence_parse_source(word, &alone.source)) {
		alone.product = str_from(product->name);
		texts[ret_licences->count++] = licence_write(a, alone);
		return texts[0].p;
	}
	while (str_split_next(&rest, ',', &piece) && ret_licences->count <= LICENCES_MAX)
		texts[ret_licences->count++] = str_trim(piece);
	return true;
}

struct str licence_write_all(struct arena *a, struct strs licences)
{
	struct str text = STR_NONE;
	for (size_t k = 0; k < licences.count; k++)
		text = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(text), k ? "," : "",
				 STR_ARG(licences.at[k]));
	return text;
}
