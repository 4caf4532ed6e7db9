/* SPDX-License-Identifier: Apache-2.0
 * Time to validate an Azure template: 200 resources, each with a name, tags and properties that are expressions, and a
 * reference to the resource before. Takes the best of many rounds, to exclude other work on the machine.
 *
 *     template
 *
 * Prints template_us: the time from the template's text to the bodies of all resources. */
#include <stdio.h>

#include "api/azure/template/template.h"
#include "base/buf.h"
#include "base/clock.h"

enum { RESOURCES = 200, ROUNDS = 20 };

static void write_document(struct buf *b)
{
	buf_print(b, "{\"contentVersion\":\"1.0.0.0\",\"parameters\":{\"prefix\":{\"type\":\"string\","
		     "\"defaultValue\":\"p\"}},"
		     "\"variables\":{\"space\":\"10.0.0.0/16\",\"full\":\"[concat(parameters('prefix'), "
		     "uniqueString(resourceGroup().id))]\"},"
		     "\"resources\":[");
	for (int k = 0; k < RESOURCES; k++) {
		buf_print(b,
			  "%s{\"type\":\"Microsoft.Network/"
			  "networkInterfaces\",\"apiVersion\":\"2022-07-01\",\"name\":\"[concat(variables('"
			  "full'), "
			  "'-%d')]\",\"location\":\"[resourceGroup().location]\",\"tags\":{\"n\":\"[string(%"
			  "d)]\"},\"properties\":{",
			  k ? "," : "", k, k);
		if (k)
			buf_print(b,
				  "\"before\":\"[reference(resourceId('Microsoft.Network/networkInterfaces', "
				  "concat(variables('full'), "
				  "'-%d'))).name]\",",
				  k - 1);
		buf_print(b, "\"subnet\":{\"id\":\"[resourceId('Microsoft.Network/virtualNetworks/subnets', "
			     "format('{0}-net', parameters('prefix')), "
			     "'default')]\"},\"space\":\"[variables('space')]\"}}");
	}
	buf_print(b, "]}");
}

static RESULT check(struct ctx *c, struct str text)
{
	json_auto_t *document = NULL;
	AUTO(template) t = NULL;
	json_t *body = NULL;
	TRY(template_read_json(c, text, &document));
	const struct template_wish wish = {
		.place = {.subscription = STR("s"),
			  .tenant = STR("t"),
			  .group = STR("g"),
			  .group_location = STR("l"),
			  .deployment = STR("d")},
		.document = document,
	};
	TRY(template_open(c, &wish, &t));
	for (size_t k = 0; k < template_count(t); k++)
		TRY(template_make_body(t, k, true, &body));
	return OK;
}

int main(void)
{
	struct ctx c;
	struct buf document;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	int64_t best_us = INT64_MAX;
	buf_init(&document, BUF_ANSWER_CAP);
	write_document(&document);
	for (int k = 0; k < ROUNDS; k++) {
		arena_reset(arena);
		ctx_init(&c, arena);
		int64_t start_us = clock_now_us();
		if (!result_is_ok(check(&c, buf_str(&document)))) {
			(void) fprintf(stderr, "%.*s\n", STR_ARG(c.problem.message));
			return 1;
		}
		int64_t took_us = clock_now_us() - start_us;
		best_us = took_us < best_us ? took_us : best_us;
	}
	(void) printf("template_us=%lld\n", (long long) best_us);
	buf_done(&document);
	arena_free(arena);
	return 0;
}
