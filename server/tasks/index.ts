export { serveTasks, type TaskHandlers } from "./serve-tasks.ts";
export type { TaskRunner, Tasks } from "./task.ts";
export { openTaskThread, type TaskThread } from "./task-thread.ts";
