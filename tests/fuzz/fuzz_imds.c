/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes guests' requests to the metadata service: a byte for the method, a line with the path, header lines.
 * The region has one instance with everything that a path can name. */
#include <stdlib.h>

#include "../unit/api/world.h"
#include "api/metadata/imds.h"
#include "api/metadata/internal.h"
#include "base/clock.h"
#include "model/id.h"
#include "store/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world w;
static struct metadata metadata;
static struct place place;
static struct ip guest;

static void make(void)
{
	static const char launch[] =
		"Action=RunInstances&ImageId=%.*s&InstanceType=t3.micro&MinCount=1&MaxCount=1&UserData="
		"aGVsbG8="
		"&MetadataOptions.InstanceMetadataTags=enabled&TagSpecification.1.ResourceType=instance"
		"&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=web";
	world_make(&w);
	struct str image = id_to_ec2(w.arena, KIND_IMAGE, w.image);
	if (world_post(&w, &w.alice, str_print(w.arena, launch, STR_ARG(image))).status != 200)
		abort();
	world_settle(&w, MINUTE);
	struct view view = {0};
	view_open(w.store, &view);
	const struct port *port = port_first(view.tables);
	place.router = port->router;
	guest = port->ip;
	view_close(&view);
	metadata.config.store = w.store;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = {"GET", "POST"};
	if (!w.store)
		make();
	if (size < 1)
		return 0;
	struct fake_call f;
	struct str rest = {(const char *) data + 1, size - 1}, path = STR_NONE, line = STR_NONE;
	(void) str_split_next(&rest, '\n', &path);
	fake_call_init(&f, methods[data[0] & 1], str_starts_with(path, STR("/")) ? path : STR("/"), STR_NONE,
		       STR_NONE);
	if (data[0] & 2)
		f.call.method = HTTP_PUT;
	for (int n = 0; n < 4 && str_split_next(&rest, '\n', &line); n++) {
		size_t colon = str_find_char(line, ':', 0);
		fake_call_add_header(&f, str_to_z(f.arena, str_slice(line, 0, colon)),
				     str_trim(str_slice(line, colon + 1, line.n)));
	}
	f.call.tag = &place;
	f.call.peer = guest;
	imds_handle(&metadata, &f.call);
	if (!f.is_answered || f.status == 500)
		abort();
	fake_call_done(&f);
	return 0;
}
