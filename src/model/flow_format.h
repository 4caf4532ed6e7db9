/* SPDX-License-Identifier: Apache-2.0
 * Formats of flow log records: the fields of versions 2 to 5 that the region knows. Open vSwitch
 * reports no TCP flags of a flow. Source: Amazon VPC User Guide, "Flow log
 * records". */
#pragma once

#include <stddef.h>

#include "base/str.h"

enum flow_field {
#define FLOW_FIELD(ID, name, version) FLOW_FIELD_##ID,
#include "model/flow_format.def"
	FLOW_FIELD_COUNT
};
extern const char *const flow_field_names[FLOW_FIELD_COUNT];

#define FLOW_FORMAT_DEFAULT                                                                                  \
	"${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "  \
	"${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

struct flow_format {
	enum flow_field fields[FLOW_FIELD_COUNT];
	size_t count;
	int version; /* the highest of its fields' */
};

/* Reads "${version} ${account-id} …". False: *ret_wrong is the part that is not a known field, or that stands twice. */
bool flow_format_parse(struct str text, struct flow_format *ret_format, struct str *ret_wrong);
