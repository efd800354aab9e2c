// Start concept refinement
async function refineConceptWithPrompt(
  originalImageUrl,
  refinementPrompt,
  logoDesc,
  themeDesc,
) {
  try {
    const response = await fetch("/api/concepts/refine", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        original_image_url: originalImageUrl,
        refinement_prompt: refinementPrompt,
        logo_description: logoDesc,
        theme_description: themeDesc,
      }),
    });

    // Check for conflict (existing task)
    if (response.status === 409) {
      const existingTask = await response.json();
      console.log("A refinement task is already in progress:", existingTask);
      return existingTask;
    }

    if (!response.ok) {
      const errorData = await response.json();
      throw new Error(errorData.detail || "Concept refinement failed");
    }

    const taskData = await response.json();
    return taskData; // Contains task_id to track progress
  } catch (error) {
    console.error("Error starting concept refinement:", error);
    throw error;
  }
}

// Check task status
async function checkTaskStatus(taskId) {
  try {
    const response = await fetch(`/api/concepts/task/${taskId}`);
    const data = await response.json();
    return data;
  } catch (error) {
    console.error("Error checking task status:", error);
    throw error;
  }
}

// Poll task status until complete
async function pollTaskUntilComplete(taskId, onProgress) {
  const poll = async () => {
    const status = await checkTaskStatus(taskId);
    onProgress(status);

    if (status.status === "completed" || status.status === "failed") {
      return status;
    }

    // Wait 2 seconds before checking again
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return poll();
  };

  return poll();
}
