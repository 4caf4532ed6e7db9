/* SPDX-License-Identifier: Apache-2.0
 * Drafts of resources: see resource_draft.h. */
#include "drivers/remote/resource_draft.h"

#include "base/crypto.h"
#include "drivers/remote/draft.h"

enum { STATE_MAX = 64 };

/* Sizes above 2^53 bytes are nonsense, and larger ones would overflow. */
static void put_size(struct remote_resource *r, struct str text, int64_t unit)
{
	int64_t count = 0;
	bool is_size = !r->size && result_is_ok(str_parse_int(text, &count)) && count >= 0 &&
		       count <= (INT64_C(1) << 53) / unit;
	if (is_size)
		r->size = count * unit;
}

static void put_text(struct str *field, struct str text, size_t most)
{
	if (!field->n)
		draft_put_text(field, text, most);
}

static void put_attribute(struct resource_draft *d, const char *name, struct str text)
{
	for (size_t k = 0; k < d->attribute_count; k++)
		if (str_is(d->attributes[k].key, name))
			return;
	if (d->attribute_count < RESOURCE_ATTRIBUTES_MAX && str_is_line(text))
		d->attributes[d->attribute_count++] =
			(struct tag){.key = str_from(name), .value = str_cut(text, RESOURCE_TEXT_MAX)};
}

/* An id is never cut: two long ones could become the same. */
static void put_ref(struct remote_resource *r, struct str text)
{
	if (!r->ref.n && text.n <= RESOURCE_TEXT_MAX && str_is_line(text))
		r->ref = text;
}

void resource_put(struct resource_draft *d, const struct resource_place *place, struct str text)
{
	struct remote_resource *r = &d->resource;
	if (!text.n)
		return;
	switch (place->field) {
	case RESOURCE_REF:
		put_ref(r, text);
		break;
	case RESOURCE_NAME:
		put_text(&r->name, text, RESOURCE_TEXT_MAX);
		break;
	case RESOURCE_PARENT:
		put_text(&r->parent, text, RESOURCE_TEXT_MAX);
		break;
	case RESOURCE_STATE:
		put_text(&r->state, text, STATE_MAX);
		break;
	case RESOURCE_ZONE:
		put_text(&r->zone, text, STATE_MAX);
		break;
	case RESOURCE_BYTES:
		put_size(r, text, 1);
		break;
	case RESOURCE_MIB:
		put_size(r, text, INT64_C(1) << 20);
		break;
	case RESOURCE_GIB:
		put_size(r, text, INT64_C(1) << 30);
		break;
	case RESOURCE_ATTRIBUTE:
		put_attribute(d, place->attribute, text);
		break;
	}
}

void resource_add_tag(struct resource_draft *d, struct str key, struct str value)
{
	const struct tag tag = {.key = str_cut(key, RESOURCE_TEXT_MAX),
				.value = str_cut(value, RESOURCE_TEXT_MAX)};
	if (tag.key.n && str_is_line(tag.key) && str_is_xml_text(tag.value) &&
	    d->tag_count < RESOURCE_TAGS_MAX)
		d->tags[d->tag_count++] = tag;
}

RESULT resource_end(struct ctx *c, struct resource_draft *d, enum remote_resource_type type,
		    struct remote_resources *list)
{
	struct remote_resource *r = &d->resource;
	if (!r->ref.n)
		return ctx_fail(c, ERR_IO, "The answer is not usable: a resource has no proper id.");
	if (list->count == REMOTE_RESOURCES_PAGE_MAX)
		return ctx_fail(c, ERR_IO, "The answer is not usable: a page has more than %d resources.",
				REMOTE_RESOURCES_PAGE_MAX);
	r->type = type;
	r->attributes = draft_sort_tags(c->arena, d->attributes, d->attribute_count);
	r->remote_tags = draft_sort_tags(c->arena, d->tags, d->tag_count);
	return VEC_PUSH(c->arena, list, *r) && !arena_is_full(c->arena) ? OK : ctx_no_memory(c);
}

static struct str write_part(struct ctx *c, struct str stack, struct str name)
{
	uint8_t sum[SHA256_SIZE];
	if (stack.n + 1 + name.n <= RESOURCE_TEXT_MAX)
		return str_print(c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(stack), STR_ARG(name));
	crypto_sha256(name, sum);
	struct str hex = str_encode_hex(c->arena, sum, sizeof sum);
	return str_print(c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(stack), STR_ARG(hex));
}

RESULT resource_put_into_stack(struct ctx *c, struct str stack, struct remote_resource_page *page)
{
	for (size_t k = 0; k < page->count; k++) {
		struct remote_resource *r = &page->at[k];
		r->parent = stack;
		r->ref = write_part(c, stack, r->ref);
		if (r->ref.n > RESOURCE_TEXT_MAX)
			return ctx_fail(c, ERR_IO, "The answer is not usable: a stack's id is too long.");
	}
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}
