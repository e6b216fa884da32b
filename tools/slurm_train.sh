#!/usr/bin/env bash
# Trains on a Slurm cluster, one process per GPU.
# Example: GPUS=8 tools/slurm_train.sh PARTITION JOB configs/ssd/ssd300_vgg16_voc0712.py work_dirs/run --amp
set -euo pipefail
if [[ ${1:-} == --help ]]; then
  sed -n '2,/^set /s/^# //p' "$0"
  exit
fi
partition=${1:?usage: slurm_train.sh PARTITION JOB CONFIG WORK_DIR [OPTIONS OF train.py]}
job=${2:?usage: slurm_train.sh PARTITION JOB CONFIG WORK_DIR [OPTIONS OF train.py]}
config=${3:?usage: slurm_train.sh PARTITION JOB CONFIG WORK_DIR [OPTIONS OF train.py]}
work_dir=${4:?usage: slurm_train.sh PARTITION JOB CONFIG WORK_DIR [OPTIONS OF train.py]}
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
# shellcheck disable=SC2086  # SRUN_ARGS holds several words
srun -p "$partition" --job-name="$job" --gres="gpu:$per_node" --ntasks="$gpus" --ntasks-per-node="$per_node" \
  --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
  python -u "$(dirname "$0")/train.py" "$config" --work-dir "$work_dir" --launcher slurm "${@:5}"
