import type { Contract, Route } from "#server/contract/index.ts";
import { requestExamples } from "./request-examples.ts";

/** A request to try, for a shell. $PARSE3D is the server's address. */
export function curlLine(name: string, route: Route): string {
  const url = `"$PARSE3D${route.path.replace(":id", "$JOB")}"`;
  switch (route.kind) {
    case "bytes":
      return `curl --compressed -o ${name} ${url.replace(":promptId", "p1")}`;
    case "events":
      return `curl -N ${url}`;
    case "upload":
      return `curl -F file=@scan.nii.gz -F modality=MR -F "prompts=left hippocampus" -o labels.nii.gz ${url}`;
    case "json": {
      const body = requestExamples[name as keyof Contract];
      const method = route.method === "DELETE" ? "-X DELETE " : "";
      return body
        ? `curl -H "Content-Type: application/json" -d '${JSON.stringify(body)}' ${url}`
        : `curl ${method}${url}`;
    }
    default:
      return route satisfies never;
  }
}
