#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt
# Runs cases that only a real libvirt can produce: partially sent images, a hanging daemon, a rebooting host.
exec "$(dirname "$0")/../lib/compute_contract.sh" libvirt
