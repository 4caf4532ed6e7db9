/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: declarations that the actions of transit gateways share. */
#pragma once

#include "api/ec2/core/action.h"

struct transit_attachment;

/* EC2's words for an option that is on or off. */
extern const char *const ec2_enable_words[]; /* false, true */
/* <resourceId> and <resourceType> of an attachment: its VPC. */
void ec2_write_transit_resource(struct xml *x, uuid router);
