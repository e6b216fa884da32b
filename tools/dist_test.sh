#!/usr/bin/env bash
# Evaluates in several processes, one per GPU or on a CPU, of one or more machines.
# Example: tools/dist_test.sh configs/ssd/ssd300_vgg16_voc0712.py CHECKPOINT 4
# On several machines: NNODES, NODE_RANK, MASTER_ADDR, PORT.
set -euo pipefail
if [[ ${1:-} == --help ]]; then
  sed -n '2,/^set /s/^# //p' "$0"
  exit
fi
config=${1:?usage: dist_test.sh CONFIG CHECKPOINT GPUS [OPTIONS OF test.py]}
checkpoint=${2:?usage: dist_test.sh CONFIG CHECKPOINT GPUS [OPTIONS OF test.py]}
gpus=${3:?usage: dist_test.sh CONFIG CHECKPOINT GPUS [OPTIONS OF test.py]}
if ! [[ $gpus =~ ^([1-9][0-9]*|auto|cpu|gpu)$ ]]; then
  echo "error: GPUS is '$gpus', expected a whole number above 0" >&2
  exit 2
fi
python -m ssd_plugin.cli.torchrun \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$gpus" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  "$(dirname "$0")/test.py" "$config" "$checkpoint" --launcher pytorch "${@:4}"
