/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/network/. */
#pragma once

#include "api/azure/core/action.h"

struct port;

/* "…/networkInterfaces/eni-…/ipConfigurations/ipconfig1": the only one that an interface is shown with. */
struct str az_ip_config_id(struct az_call *e, const struct port *p);
