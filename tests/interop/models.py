"""Small real models of transformers, built from their configurations with random weights.

One for each kind of renaming that upstream's prefix handling has to get right: a prefix removed (llava, clip, altclip,
sam3), one added (rf-detr, timm_wrapper), groups that come back by `\\1` (cohere-asr, sam3-video), none at all (llama).
"""

import transformers

TEXT = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "vocab_size": 64,
}  # fmt: skip
VISION = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16,
    "patch_size": 8,
}  # fmt: skip
CLIP_TEXT = {**TEXT, "max_position_embeddings": 16}
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}


def llama():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**TEXT))


def llava():
    config = transformers.LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **VISION}, text_config={"model_type": "llama", **TEXT}, image_token_index=3
    )
    return transformers.LlavaForConditionalGeneration(config)


def clip():
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=CLIP_TEXT, vision_config=VISION, projection_dim=8))


def clip_vision():
    return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**VISION))


def altclip():
    text = {**TEXT, "max_position_embeddings": 32, "project_dim": 8}
    return transformers.AltCLIPModel(transformers.AltCLIPConfig(text_config=text, vision_config=VISION, projection_dim=8))


def rf_detr():
    backbone = {
        "model_type": "rf_detr_dinov2", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 56,
        "patch_size": 14, "out_indices": [2, 4], "num_windows": 2, "window_block_indexes": [0, 1],
    }  # fmt: skip
    config = transformers.RfDetrConfig(
        backbone_config=backbone, d_model=16, decoder_ffn_dim=32, decoder_layers=2, num_queries=4, group_detr=2,
        decoder_self_attention_heads=2, decoder_cross_attention_heads=2, intermediate_size=32, c2f_num_blocks=2, num_labels=3,
    )  # fmt: skip
    return transformers.RfDetrForObjectDetection(config)


def cohere_asr():
    encoder = {
        "model_type": "parakeet_encoder", **SMALL, "num_hidden_layers": 2, "subsampling_conv_channels": 4, "num_mel_bins": 16,
        "conv_kernel_size": 3, "max_position_embeddings": 32,
    }  # fmt: skip
    config = transformers.CohereAsrConfig(
        encoder_config=encoder, vocab_size=64, num_hidden_layers=2, max_position_embeddings=16, **SMALL
    )
    return transformers.CohereAsrForConditionalGeneration(config)


def timm_wrapper():
    config = transformers.TimmWrapperConfig(architecture="test_resnet.r160_in1k", num_labels=3)
    return transformers.TimmWrapperForImageClassification(config)


def _sam3_parts():
    backbone = {
        "model_type": "sam3_vit_model", **SMALL, "num_hidden_layers": 2, "image_size": 56, "patch_size": 14, "window_size": 2,
        "global_attn_indexes": [1], "pretrain_image_size": 28,
    }  # fmt: skip
    vision = {
        "model_type": "sam3_vision_model", "backbone_config": backbone, "fpn_hidden_size": 16,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    }  # fmt: skip
    detector = {
        "vision_config": vision, "text_config": {"model_type": "clip_text_model", **CLIP_TEXT},
        "geometry_encoder_config": {**SMALL, "num_layers": 1}, "detr_encoder_config": {**SMALL, "num_layers": 1},
        "detr_decoder_config": {**SMALL, "num_layers": 1, "num_queries": 4},
        "mask_decoder_config": {"hidden_size": 16, "num_attention_heads": 2},
    }  # fmt: skip
    return vision, detector


def sam3():
    return transformers.Sam3Model(transformers.Sam3Config(**_sam3_parts()[1]))


def sam3_video():
    vision, detector = _sam3_parts()
    tracker = {
        "model_type": "sam3_tracker_video", "vision_config": vision, "image_size": 56,
        "prompt_encoder_config": {"hidden_size": 16, "image_size": 56, "patch_size": 14, "mask_input_channels": 4},
        "mask_decoder_config": {"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
        "memory_attention_hidden_size": 16, "memory_attention_num_layers": 1, "memory_attention_feed_forward_hidden_size": 16,
        "memory_encoder_hidden_size": 16, "memory_encoder_output_channels": 8, "mask_downsampler_embed_dim": 16,
        "memory_fuser_num_layers": 1, "memory_fuser_embed_dim": 16, "memory_fuser_intermediate_dim": 16,
    }  # fmt: skip
    config = transformers.Sam3VideoConfig(detector_config={"model_type": "sam3", **detector}, tracker_config=tracker)
    return transformers.Sam3VideoModel(config)


ALL = [llama, llava, clip, clip_vision, altclip, rf_detr, cohere_asr, timm_wrapper, sam3, sam3_video]
